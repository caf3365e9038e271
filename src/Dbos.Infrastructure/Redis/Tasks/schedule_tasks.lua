-- @include agent_queues
-- Stores new tasks. A known id stays as it is.
--
-- ARGV  as event_log.lua, then: channel of what is due; how many tasks; then for each: id, state, fixed, payload, event's body,
--       and its mark as idempotency_mark.lua
--
-- Answers for each: {'done'} | {'marked', value} | {'found', state, fixed, errors, 1: its payload is the same, else 0}
local channel, tasks = next_arg(), next_number()
local answers = {}

for i = 1, tasks do
  local id, state, fixed, payload, event = next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
  local mark = next_mark()
  local stored = load_task(id)
  if mark.found then
    answers[i] = {'marked', mark.found}
  elseif stored then
    answers[i] = {'done'}
    if stored.operation ~= operation or stored.changed_here then
      local stored_payload = stored.payload or redis.call('HGET', task_key(id), 'payload')
      answers[i] = found(stored)
      answers[i][5] = stored_payload == payload and 1 or 0
    end
  else
    local task = unpack_state(state)
    task.id, task.fixed, task.payload, task.operation, task.changed_here = id, fixed, payload, operation, true
    loaded[id] = task
    plan('HSET', task_key(id), 'state', pack_state(task), 'fixed', fixed, 'payload', payload)
    enter_queue(task)
    plan_mark(mark)
    log_event(event)
    count('scheduled', 1)
    answers[i] = {'done'}
  end
end

plan_entering(channel)
commit()
return finish(answers)
