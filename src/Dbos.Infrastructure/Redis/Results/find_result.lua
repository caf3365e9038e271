-- @include result_record
-- Reads the result of an agent.
--
-- KEYS  as args.lua says
-- ARGV  id, agent's id (both percent-encoded)
--
-- Answers its value; nil where there is none.
local id, agent = next_arg(), next_arg()
local key, found = find_result(id, agent)
return found ~= '' and redis.call('GET', key)
