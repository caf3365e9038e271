-- Whether this Redis user may run every command by which scripts write. A script that lacked one would stop half way, as Redis
-- undoes nothing; so DBOS serves only while it has them all. The first of them is one that needs memory: a full Redis refuses it.

-- partition: prefix of the keys of a partition. publication: channel and message, nil: none. Answers an error that names the first command that is refused, nil: none is.
local function missing_right(partition, publication)
  local key = partition .. 'rights:'
  local planned = {
    {'SET', key .. 'string', 1},
    {'EXPIRE', key .. 'string', 60},
    {'HSETNX', key .. 'hash', 'field', 1},
    {'HSET', key .. 'hash', 'field', 1},
    {'HINCRBY', key .. 'hash', 'field', 1},
    {'ZADD', key .. 'set', 1, 'member'},
    {'ZREM', key .. 'set', 'member'},
    {'ZREMRANGEBYSCORE', key .. 'set', 1, 1},
    {'XADD', key .. 'stream', 'MAXLEN', '~', 1, '*', 'field', 1},
    {'DEL', key .. 'string', key .. 'hash', key .. 'set', key .. 'stream'},
  }
  if publication then planned[#planned + 1] = {'PUBLISH', publication.channel, publication.message} end
  for i = 1, #planned do
    local answer = redis.pcall(unpack(planned[i]))
    if type(answer) == 'table' and answer.err then
      if not string.find(answer.err, "The user executing the script can't", 1, true) then return answer end
      return {err = 'NOPERM DBOS needs the right to run ' .. planned[i][1] .. ': ' .. answer.err}
    end
  end
end
