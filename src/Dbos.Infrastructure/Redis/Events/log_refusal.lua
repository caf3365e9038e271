-- @include args
-- @include event_stamp
-- Adds a refused write to the partition's log of refusals.
--
-- ARGV  1 most events that the log keeps   2 operation id   3 the event as JSON without its id, its time and its closing brace
--
-- Answers the list that RedisPartitions.Write expects, with no items.
local cap, operation, body = next_arg(), next_arg(), next_arg()
local log, done = prefix .. 'refusals', prefix .. 'refused:' .. operation

-- A call is sent again within three seconds, if at all.
local DONE_SECONDS = 10

redis.call('XLEN', log)

local event = body .. event_stamp(now)
if redis.call('SET', done, '', 'NX', 'EX', DONE_SECONDS) then
  redis.call('XADD', log, 'MAXLEN', '~', cap, '*', 'event', event)
end
return {''}
