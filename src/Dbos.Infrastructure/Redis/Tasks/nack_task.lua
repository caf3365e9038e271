-- @include end_delivery
-- @include delivery_report
-- A holder failed: the task returns to the queue after a delay, or is dead-lettered when it failed too often or the holder asks for it.
-- Or the holder releases it: the task returns at once, and nothing counts as a failure.
--
-- KEYS  as args.lua says
-- ARGV  as event_log.lua, then: channel of what is due; begin of the channels of ended deliveries; tail of the events; id, lease
--       token (0: whichever is current), and its mark as idempotency_mark.lua; 'retry', 'release', or the dead-letter reason; reason,
--       the reason cut for the history; how many delays, then each in ms, by number of failures; the report as delivery_report.lua
--
-- Answers one: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors, result, record of the state}
local due_channel, end_channel, tail, id, token = next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
local mark, kind, reason, history_reason, delays = next_mark(), next_arg(), next_arg(), next_arg(), next_number()
local delays_from = args_read
args_read = args_read + delays
local report = next_delivery_report()
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

local function release()
  return_to_queue(task, due_again(task))
  count('released', 1)
  log_task_event('task_released', task, 'released by its holder', metadata('reason', reason), tail)
end

local function fail()
  local failures = task.failures + 1
  local errors = add_failure(task, 'nack', reason, history_reason, operation)
  local more = metadata('failure_count', text(failures)) .. metadata('max_retries', task.max_retries) .. metadata('reason', reason)
  task.failures = text(failures)
  local due = now + ARGV[delays_from + math.min(failures, delays)]
  count('nacked', 1)
  if kind ~= 'retry' or failures > tonumber(task.max_retries) then
    dead_letter(task, due, errors, kind == 'retry' and 'max_retries' or kind)
    log_task_event('task_nacked', task, 'negatively acknowledged', more, tail)
    log_task_event(
      'task_dead_lettered', task,
      'moved to the dead-letter queue: ' .. (kind == 'retry' and 'max_retries exceeded' or kind .. ' by its holder'), more, tail)
  else
    return_to_queue(task, due)
    log_task_event('task_nacked', task, 'negatively acknowledged, returned to the queue', more, tail)
  end
  plan_errors(task, errors)
end

local failure = task and find_failure()
if task and (task.operation == operation or (failure and failure.operation == operation)) then return finish({{'done'}}) end
if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status ~= 'inflight' or (token ~= '0' and token ~= task.token) or failure or not accepts(report, task) then
  return finish({found_with(report, task)})
end

plan_delivery_report(report)
if kind == 'release' then release() else fail() end
report_end(task, end_channel)
plan_state(task)
plan_mark(mark)
plan_turns(due_channel)
commit_with(report)
return finish({{'done'}})
