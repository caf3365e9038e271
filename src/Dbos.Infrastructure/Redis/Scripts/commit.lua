-- One record's next version, its mark, index entries and events: all of it, or nothing.
--
-- KEYS  1 record   2 mark (the record again: no mark)   3 event log   4.. an index for each change
-- ARGV  1 expected version, 0: nothing stored    2 document    3 payload, '' as it is
--       4 lifetime in seconds, 0: for ever       5 1: the lease ends
--       6 mark's value    7 mark's lifetime in seconds
--       8 most events     9 length at which the log is trimmed to them
--       10 how many events    11.. the events, then for each index: score ('' takes out), member
--
-- Answers  {0}        done
--          {1, value} the mark was there
--          {2, version, document, payload, deliveries, leased_until}  at another version; version false: nothing stored

local record, mark = KEYS[1], KEYS[2]

if mark ~= record then
  local value = redis.call('GET', mark)
  if value then return {1, value} end
end

local stored = redis.call('HGET', record, 'version')
if (stored or '0') ~= ARGV[1] then
  local found = redis.call('HMGET', record, 'document', 'payload', 'deliveries', 'leased_until')
  return {2, stored, found[1], found[2], found[3], found[4]}
end

local version = string.format('%.0f', ARGV[1] + 1)
if ARGV[3] == '' then
  redis.call('HSET', record, 'version', version, 'document', ARGV[2])
else
  redis.call('HSET', record, 'version', version, 'document', ARGV[2], 'payload', ARGV[3])
end
if ARGV[4] ~= '0' then redis.call('EXPIRE', record, ARGV[4])
elseif stored then redis.call('PERSIST', record) end
if ARGV[5] == '1' then redis.call('HDEL', record, 'leased_until') end
if mark ~= record then redis.call('SET', mark, ARGV[6], 'EX', ARGV[7]) end

local at = 11
for _ = 1, ARGV[10] do
  local length = redis.call('LPUSH', KEYS[3], ARGV[at])
  if length > tonumber(ARGV[9]) then redis.call('LTRIM', KEYS[3], 0, ARGV[8] - 1) end
  at = at + 1
end

for i = 4, #KEYS do
  if ARGV[at] == '' then
    redis.call('ZREM', KEYS[i], ARGV[at + 1])
  else
    redis.call('ZADD', KEYS[i], ARGV[at], ARGV[at + 1])
  end
  at = at + 2
end
return {0}
