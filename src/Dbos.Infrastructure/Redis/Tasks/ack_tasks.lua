-- @include event_log
-- Completes tasks whose delivery the caller holds.
--
-- ARGV  as event_log.lua, then: begin of the channels of ended deliveries; how long completed tasks are kept, ms; tail of the
--       events; how many; then for each: id, lease token (0: whichever is current), and name and value of its mark ('' and '':
--       none)
--
-- Answers for each: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local MARK_SECONDS = 86400
local INFLIGHT, COMPLETED = prefix .. 'tasks:inflight', prefix .. 'tasks:completed'
-- Of "state" in task_record.lua: status, token, then what stays, holder, operation; then what is constant, of which subject_length
-- and queue.
local STATE = '^(%S+) (%S+) (%S+ %S+ %S+ %S+) %S+ (%S+) (%S+) (%S+ (%S+) (%S+) .*)$'
local channel, kept, tail, acks = next_arg(), next_number(), next_arg(), next_number()
local answers, completed, marks = {}, {}, {}
local left, entered, new = {}, {}, {}
local ended, expires = text(now), text(now + kept)
redis.call('ZCARD', INFLIGHT)
redis.call('ZCARD', COMPLETED)

local at = args_read
for i = 1, acks do
  local id, wanted, mark = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local key = prefix .. 'task:' .. id
  local marked = mark ~= '' and redis.call('GET', prefix .. mark)
  local fields = redis.call('HMGET', key, 'state', 'fixed')
  local state, fixed = new[id] or fields[1], fields[2]
  local status, token, kept_words, holder, last_operation, constant, subject_length, queue = string.match(state or '', STATE)
  if last_operation == operation and not new[id] then
    answers[i] = {'done'}
  elseif marked then
    answers[i] = {'marked', marked}
  elseif not state then
    answers[i] = {'unknown'}
  else
    if status == 'inflight' and (wanted == '0' or wanted == token) then
      local member = queue .. ':' .. id
      state = 'completed ' .. token .. ' ' .. kept_words .. ' ' .. ended .. ' - ' .. operation .. ' ' .. constant
      new[id] = state
      left[#left + 1] = member
      entered[#entered + 1], entered[#entered + 2] = expires, member
      completed[#completed + 1], completed[#completed + 2] = key, state
      if mark ~= '' then marks[#marks + 1] = {prefix .. mark, ARGV[at + 4]} end
      if holder ~= '-' then publish(channel .. holder, token .. ' ' .. id) end
      log_event('{"type":"task_acknowledged","message":"task ' .. json_text(id) .. ' completed","metadata":{'
        .. string.sub(fixed, 2, 1 + subject_length) .. ',"lease_token":"' .. token .. '"' .. tail)
      answers[i] = {'done'}
    else
      answers[i] = {'found', state, fixed, redis.call('HGET', key, 'errors') or ''}
    end
  end
  at = at + 4
end

if #left > 0 then
  count('completed', #left)
  -- First what frees memory: an acknowledgement is accepted while Redis is full.
  redis.call('ZREM', INFLIGHT, unpack(left))
  for i = 1, #completed, 2 do redis.call('HSET', completed[i], 'state', completed[i + 1]) end
  redis.call('ZADD', COMPLETED, unpack(entered))
  for i = 1, #marks do redis.call('SET', marks[i][1], marks[i][2], 'EX', MARK_SECONDS) end
end
return finish(answers)
