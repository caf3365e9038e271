-- @include end_delivery
-- Puts deliveries back that never reached their taker. No failure is counted.
--
-- ARGV  as event_log.lua, then: channel of what is due; begin of the channels of ended deliveries; tail of the events; how many;
--       then for each: id, lease token
--
-- Answers one number: how many went back.
local due_channel, end_channel, tail, deliveries = next_arg(), next_arg(), next_arg(), next_number()
local released = 0

for _ = 1, deliveries do
  local id, token = next_arg(), next_arg()
  local task = load_task(id)
  if task and task.status == 'inflight' and task.token == token then
    return_to_queue(task, due_again(task))
    report_end(task, end_channel)
    plan_state(task)
    log_task_event('task_released', task, 'released undelivered', '', tail)
    count('released', 1)
    released = released + 1
  end
end

plan_turns(due_channel)
commit()
return finish({released})
