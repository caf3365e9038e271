-- Whether this Redis user may run every command by which scripts write. A script that lacked one would stop half way, as Redis
-- undoes nothing; so DBOS serves only while it has them all.

-- partition: prefix of the keys of a partition, which begins with that of all channels. Answers an error that names the first command that is refused, nil: none is.
local function missing_right(partition)
  local key = partition .. 'rights:'
  local planned = {
    {'DEL', key .. 'string', key .. 'hash', key .. 'set', key .. 'stream'},
    {'SET', key .. 'string', 1},
    {'EXPIRE', key .. 'string', 60},
    {'HSETNX', key .. 'hash', 'field', 1},
    {'HSET', key .. 'hash', 'field', 1},
    {'HINCRBY', key .. 'hash', 'field', 1},
    {'ZADD', key .. 'set', 1, 'member'},
    {'ZREM', key .. 'set', 'member'},
    {'ZREMRANGEBYSCORE', key .. 'set', 1, 1},
    {'XADD', key .. 'stream', 'MAXLEN', '~', 1, '*', 'field', 1},
    {'PUBLISH', string.match(partition, '^{([^:]*:)') .. 'rights', ''},
    {'DEL', key .. 'string', key .. 'hash', key .. 'set', key .. 'stream'},
  }
  for i = 1, #planned do
    local answer = redis.pcall(unpack(planned[i]))
    if type(answer) == 'table' and answer.err then
      if not string.find(answer.err, "The user executing the script can't", 1, true) then return answer end
      return {err = 'NOPERM DBOS needs the right to run ' .. planned[i][1] .. ': ' .. answer.err}
    end
  end
end
