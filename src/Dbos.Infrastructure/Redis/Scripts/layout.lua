-- Records at first start how the store is divided; answers how it really is, and the time.
--
-- KEYS  1 layout
-- ARGV  1 number of partitions
--
-- Answers {the number of partitions recorded, seconds, microseconds}

local time = redis.call('TIME')
redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
return {redis.call('HGET', KEYS[1], 'partitions'), time[1], time[2]}
