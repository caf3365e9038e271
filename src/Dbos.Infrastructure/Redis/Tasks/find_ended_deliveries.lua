-- @include args
-- Which deliveries are over.
--
-- ARGV  for each: task id, lease token
--
-- Answers the positions of those that are, from 0.
-- The words "status" and "token" of "state" in task_record.lua.
local HEAD = '^(%S+) (%S+) '
local ended = {}

for i = 1, #ARGV, 2 do
  local status, token = string.match(redis.call('HGET', prefix .. 'task:' .. ARGV[i], 'state') or '', HEAD)
  if status ~= 'inflight' or token ~= ARGV[i + 1] then ended[#ended + 1] = (i - 1) / 2 end
end
return ended
