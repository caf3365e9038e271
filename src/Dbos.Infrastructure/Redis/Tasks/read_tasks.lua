-- @include args
-- Reads tasks until a reply is full.
--
-- ARGV  bytes that may be read; 1: the first is read whatever its size; the ids
--
-- Answers for each: state, fixed, payload, errors ('' where there is no such task); fewer than asked for: the next would not fit.
-- The word "size" of "state" in task_record.lua.
local SIZE = '^%S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%S+)'
local bytes, takes_first = next_number(), next_arg() == '1'
local answers = {}

for i = args_read + 1, #ARGV do
  local key = prefix .. 'task:' .. ARGV[i]
  local state = redis.call('HGET', key, 'state') or ''
  local size = tonumber(string.match(state, SIZE) or 0)
  if size > bytes and not takes_first then return answers end
  bytes, takes_first = bytes - size, false
  local fields = redis.call('HMGET', key, 'fixed', 'payload', 'errors')
  local at = #answers
  answers[at + 1], answers[at + 2], answers[at + 3], answers[at + 4] = state, fields[1] or '', fields[2] or '', fields[3] or ''
end
return answers
