-- @include event_log
-- @include idempotency_mark
-- @include new_result
-- Stores a result, unless the agent has one of this id.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, idempotency_mark.lua and new_result.lua
--
-- Answers  0         stored, by this run or by an earlier one of this operation
--          1, value  the mark was there
--          2, 0 | 1  the agent has a result of this id: with the same data | with other data
local mark = next_mark()
local result = next_result()
if result.stored == 'own' then return finish({0}) end
if mark.found then return finish({1, mark.found}) end
if result.stored ~= '' then return finish({2, result.stored == 'same' and 0 or 1}) end

plan_result(result)
write_result(result)
set_mark(mark)
return finish({0})
