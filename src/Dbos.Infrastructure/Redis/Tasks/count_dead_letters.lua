-- @include args
-- @include task_filter
-- How many dead letters pass a filter. Without a filter none is looked at.
--
-- ARGV  begin of the members ('' any); module after the agent ('' any); rank of the first to look at; how many to look at
--
-- Answers how many passed, and how many were looked at.
local agent, module, from, looks = next_arg(), next_arg(), next_number(), next_number()
local key = prefix .. 'tasks:failed'
if agent == '' and module == '' then return {redis.call('ZCARD', key), 0} end

local count = 0
local members = redis.call('ZRANGE', key, from, from + looks - 1)
for i = 1, #members do
  if passes(members[i], agent, module) then count = count + 1 end
end
return {count, #members}
