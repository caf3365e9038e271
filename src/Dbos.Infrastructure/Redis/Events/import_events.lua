-- @include args
-- Puts events of another store behind those that a log has. Their positions are their own times, as far as these do not go back.
--
-- ARGV  1 the log: events or refusals   2 number of events
--       then for each event, the oldest first: its own time in Unix ms, the event as JSON with that time
--
-- Answers the list that RedisPartitions.Write expects, with no items.
local log, count = prefix .. next_arg(), next_number()

local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local ms, sequence = string.match(newest and newest[1] or '0-0', '(%d+)-(%d+)')
ms, sequence = tonumber(ms), tonumber(sequence)

local entries = {}
for i = 1, count do
  local at, event = next_number(), next_arg()
  if at > ms then
    ms, sequence = at, 0
  else
    sequence = sequence + 1
  end
  entries[i] = {text(ms) .. '-' .. text(sequence), event}
end

for _, entry in ipairs(entries) do redis.call('XADD', log, entry[1], 'event', entry[2]) end
return {''}
