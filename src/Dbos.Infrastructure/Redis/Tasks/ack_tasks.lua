-- @include task_record
-- Completes tasks whose delivery the caller holds.
--
-- ARGV  as event_log.lua, then: begin of the channels of ended deliveries; how long completed tasks are kept, ms; tail of the
--       events; how many; then for each: id, lease token (0: whichever is current), and its mark as idempotency_mark.lua
--
-- Answers for each: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local channel, kept, tail, acks = next_arg(), next_number(), next_arg(), next_number()
local answers = {}

for i = 1, acks do
  local id, token = next_arg(), next_arg()
  local mark = next_mark()
  local task = not mark.found and load_task(id)
  if mark.found then
    answers[i] = {'marked', mark.found}
  elseif not task then
    answers[i] = {'unknown'}
  elseif task.status == 'inflight' and (token == '0' or token == task.token) then
    plan_move(task, 'inflight', 'completed', text(now + kept))
    task.status, task.ended_at, task.changed_here = 'completed', text(now), true
    report_end(task, channel)
    plan_state(task)
    plan_mark(mark)
    log_task_event('task_acknowledged', task, 'completed', '', tail)
    count('completed', 1)
    answers[i] = {'done'}
  elseif task.operation == operation and not task.changed_here then
    answers[i] = {'done'}
  else
    answers[i] = found(task)
  end
end

commit()
return finish(answers)
