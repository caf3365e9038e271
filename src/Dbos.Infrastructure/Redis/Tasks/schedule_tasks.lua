-- @include enter_queues
-- Stores new tasks. A known id stays as it is.
--
-- ARGV  as event_log.lua, then: channel of what is due; how many tasks; then for each: id, state (with this operation), fixed,
--       payload, event's body, queue, band, due time in ms, and name and value of its mark ('' and '': none)
--
-- Answers for each: {'done'} | {'marked', value} | {'found', state, fixed, errors, 1: its payload is the same, else 0}
local MARK_SECONDS = 86400
local channel, tasks = next_arg(), next_number()
local answers, scheduled, marks = {}, {}, {}
-- By id, where in ARGV the tasks begin that are new.
local new = {}

local function found(id, key, payload)
  local other = new[id]
  if other then
    return {'found', ARGV[other + 2], ARGV[other + 3], '', ARGV[other + 4] == payload and 1 or 0}
  end
  local fields = redis.call('HMGET', key, 'state', 'fixed', 'errors', 'payload')
  if string.match(fields[1], '^%S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%S+)') == operation then return {'done'} end
  return {'found', fields[1], fields[2], fields[3] or '', fields[4] == payload and 1 or 0}
end

local at = args_read
for i = 1, tasks do
  local id, payload, mark = ARGV[at + 1], ARGV[at + 4], ARGV[at + 9]
  local key = prefix .. 'task:' .. id
  local marked = mark ~= '' and redis.call('GET', prefix .. mark)
  if new[id] or redis.call('HEXISTS', key, 'state') == 1 then
    answers[i] = found(id, key, payload)
    if marked and answers[i][1] ~= 'done' then answers[i] = {'marked', marked} end
  elseif marked then
    answers[i] = {'marked', marked}
  else
    new[id] = at
    scheduled[#scheduled + 1] = {key, ARGV[at + 2], ARGV[at + 3], payload}
    plan_pending(id, ARGV[at + 6], tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]))
    log_event(ARGV[at + 5])
    if mark ~= '' then marks[#marks + 1] = {prefix .. mark, ARGV[at + 10]} end
    answers[i] = {'done'}
  end
  at = at + 10
end
if #scheduled > 0 then count('scheduled', #scheduled) end
plan_turns(channel)

for i = 1, #scheduled do
  local task = scheduled[i]
  redis.call('HSET', task[1], 'state', task[2], 'fixed', task[3], 'payload', task[4])
end
for i = 1, #marks do redis.call('SET', marks[i][1], marks[i][2], 'EX', MARK_SECONDS) end
commit()
return finish(answers)
