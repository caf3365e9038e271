-- @include task_record
-- @include enter_queues
-- Puts dead letters back into the queue, due at once, their failures and expiries counted anew.
--
-- ARGV  as event_log.lua, then: channel of what is due; tail of the events; how many; then the ids
--
-- Answers for each: {'done'} | {'unknown'} | {'found', state, fixed, errors}
local channel, tail, tasks = next_arg(), next_arg(), next_number()
local answers = {}

for i = 1, tasks do
  local task = load_task(next_arg())
  if not task then
    answers[i] = {'unknown'}
  elseif task.status == 'failed' then
    local errors = decoded_errors(task)
    errors.dead_letter_reason = nil
    plan_zrem(prefix .. 'tasks:failed', member_of(task))
    task.status, task.visible_at, task.failures, task.expiries, task.ended_at = 'pending', text(now), '0', '0', '0'
    plan_pending(task.id, task.queue, tonumber(task.band), now)
    plan_state(task)
    plan_errors(task, errors)
    log_task_event('task_requeued', task, 'requeued from the dead-letter queue', '', tail)
    count('requeued', 1)
    task.changed_here = true
    answers[i] = {'done'}
  elseif task.operation == operation and not task.changed_here then
    answers[i] = {'done'}
  else
    answers[i] = found(task)
  end
end

plan_turns(channel)
commit()
return finish(answers)
