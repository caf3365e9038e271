-- Proves that scripts can write, and tells the time.
--
-- KEYS  1 probe
--
-- Answers seconds and microseconds.

local time = redis.call('TIME')
redis.call('SET', KEYS[1], time[1], 'EX', 60)
return time
