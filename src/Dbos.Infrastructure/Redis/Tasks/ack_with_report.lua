-- @include delivery_report
-- Completes a task together with the result and the state that its holder reports: all of it, or nothing.
--
-- KEYS  as args.lua says
-- ARGV  as event_log.lua, then: begin of the channels of ended deliveries; how long completed tasks are kept, ms; tail of the
--       events; id, lease token (0: whichever is current), and its mark as idempotency_mark.lua; the report as delivery_report.lua
--
-- Answers one: {'done', 1 if another result is stored, else 0} | {'marked', value} | {'unknown'}
--       | {'found', state, fixed, errors, result, record of the state}
local channel, kept, tail, id, token, mark = next_arg(), next_number(), next_arg(), next_arg(), next_arg(), next_mark()
local report = next_delivery_report()
local task = load_task(id)
local done = {'done', report.result and report.result.stored == 'other' and 1 or 0}

if task and task.operation == operation then return finish({done}) end
if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status ~= 'inflight' or (token ~= '0' and token ~= task.token) or not accepts(report, task) then
  return finish({found_with(report, task)})
end

plan_zrem(INFLIGHT, member_of(task))
plan_delivery_report(report)
task.status, task.ended_at = 'completed', text(now)
log_task_event('task_acknowledged', task, 'completed', '', tail)
count('completed', 1)
report_end(task, channel)
plan_state(task)
plan_zadd(prefix .. 'tasks:completed', now + kept, member_of(task))
plan_mark(mark)
commit_with(report)
return finish({done})
