-- @include event_log
-- @include idempotency_mark
-- @include result_record
-- Stores a result, unless the agent has one of this id.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua and idempotency_mark.lua, then: id, agent's id (both percent-encoded), hash of the data
--       (16 bytes) with the rest of the value behind it, event
--
-- Answers  0         stored, by this run or by an earlier one of this operation
--          1, value  the mark was there
--          2, 0 | 1  the agent has a result of this id: with the same data | with other data
local mark = next_mark()
local id, agent, content, event = next_arg(), next_arg(), next_arg(), next_arg()
local key, found, is_further = find_result(id, agent)
local head = head_of(agent)
local hash_from = #head + OPERATION_BYTES + 1
if found ~= '' and found:sub(#head + 1, hash_from - 1) == operation then return finish({0}) end
if mark.found then return finish({1, mark.found}) end
if found ~= '' then return finish({2, found:sub(hash_from) == content:sub(1, HASH_BYTES) and 0 or 1}) end

local all, own, others = prefix .. 'results', prefix .. 'results:' .. agent, prefix .. 'results:others:' .. id
if is_further then redis.call('ZCARD', others) end
local place = next_place(all, own, now, 0)
local value = head .. operation .. content

redis.call('XADD', all, place, agent, id)
redis.call('XADD', own, place, 'id', id)
redis.call('SET', key, value)
if is_further then redis.call('ZADD', others, 0, agent) end
set_mark(mark)
log_event(event)
return finish({0})
