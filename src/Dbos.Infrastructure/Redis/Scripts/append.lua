-- Adds one event to a log.
--
-- KEYS  1 log
-- ARGV  1 the event   2 most events   3 length at which the log is trimmed to them

local length = redis.call('LPUSH', KEYS[1], ARGV[1])
if length > tonumber(ARGV[3]) then redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1) end
return length
