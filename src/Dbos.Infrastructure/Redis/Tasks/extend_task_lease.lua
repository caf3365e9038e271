-- @include task_record
-- A holder works on: its lease lasts at least the given time from now. Counted, not logged.
--
-- ARGV  as event_log.lua, then: id, lease token, lease in ms, and its mark as idempotency_mark.lua
--
-- Answers one: {'done'} | {'kept'} it lasts as long already | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local id, token, lease = next_arg(), next_arg(), next_number()
local mark = next_mark()
local task = load_task(id)

if task and task.operation == operation then return finish({{'done'}}) end
if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status ~= 'inflight' or task.token ~= token then return finish({found(task)}) end
if tonumber(task.visible_at) >= now + lease then return finish({{'kept'}}) end

task.visible_at = text(now + lease)
plan_state(task)
plan_zadd(INFLIGHT, task.visible_at, member_of(task))
plan_mark(mark)
count('lease_extended', 1)
commit()
return finish({{'done'}})
