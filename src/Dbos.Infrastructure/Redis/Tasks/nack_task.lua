-- @include end_delivery
-- A holder failed: the task returns to the queue after a delay, or is dead-lettered when it failed too often.
--
-- ARGV  as event_log.lua, then: channel of what is due; begin of the channels of ended deliveries; tail of the events; id, lease
--       token (0: whichever is current), and its mark as idempotency_mark.lua; reason, the reason cut for the history; how
--       many delays, then each in ms, by number of failures
--
-- Answers one: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local due_channel, end_channel, tail, id, token = next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
local mark, reason, history_reason, delays = next_mark(), next_arg(), next_arg(), next_number()
local task = load_task(id)

-- The failure that this operation, or a nack with the same token, has left in the history. Without it a nack that names no token
-- and is sent again would end a later delivery.
local function find_failure()
  for _, failure in ipairs(decoded_errors(task).history or {}) do
    if failure.operation == operation then return failure end
    if token ~= '0' and failure.kind == 'nack' and text(failure.lease_token) == token then return failure end
  end
  return nil
end

local function nack()
  local failures = task.failures + 1
  local errors = add_failure(task, 'nack', reason, history_reason, operation)
  local is_dead = failures > tonumber(task.max_retries)
  local more = metadata('failure_count', text(failures)) .. metadata('max_retries', task.max_retries) .. metadata('reason', reason)
  task.failures = text(failures)
  local due = now + ARGV[args_read + math.min(failures, delays)]
  count('nacked', 1)
  if is_dead then
    dead_letter(task, due, errors, 'max_retries')
    log_task_event('task_nacked', task, 'negatively acknowledged', more, tail)
    log_task_event('task_dead_lettered', task, 'moved to the dead-letter queue: max_retries exceeded', more, tail)
  else
    return_to_queue(task, due)
    log_task_event('task_nacked', task, 'negatively acknowledged, returned to the queue', more, tail)
  end
  report_end(task, end_channel)
  plan_state(task)
  plan_errors(task, errors)
  plan_mark(mark)
  plan_turns(due_channel)
  commit()
  return {'done'}
end

local failure = task and find_failure()
if failure and failure.operation == operation then return finish({{'done'}}) end
if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status == 'inflight' and (token == '0' or token == task.token) and not failure then return finish({nack()}) end
return finish({found(task)})
