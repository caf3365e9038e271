-- Tells how long ago the store was last probed, as whoever serves it does once a second.
--
-- KEYS  1 probe   2 the absent key
--
-- Answers milliseconds, up to a second too many; false: not lately

local at = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
return at and (time[1] - at) * 1000 + math.floor(time[2] / 1000)
