-- @include write_rights
-- Records at first start how the store is laid out; answers how it really is, and the time. As it writes, a replica refuses it.
-- Writes nothing where a right is missing.
--
-- KEYS  1 layout   2 the absent key
-- ARGV  1 number of partitions    2 schema version    3 generation of the event log's positions
--
-- Answers {partitions, schema version, what it is being moved from, seconds, microseconds} as recorded, false: it is not

local refused = missing_right(string.sub(KEYS[1], 1, -#'layout' - 1))
if refused then return refused end
local time = redis.call('TIME')
if redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1]) == 1 then redis.call('HSET', KEYS[1], 'schema', ARGV[2]) end
redis.call('HSETNX', KEYS[1], 'generation', ARGV[3])
local layout = redis.call('HMGET', KEYS[1], 'partitions', 'schema', 'moved_from')
return {layout[1], layout[2], layout[3], time[1], time[2]}
