-- @include task_record
-- Deletes a dead letter for good. Its id is free again.
--
-- ARGV  as event_log.lua, then: tail of the events; id, and its mark as idempotency_mark.lua
--
-- Answers one: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local tail, id = next_arg(), next_arg()
local mark = next_mark()
local task = not mark.found and load_task(id)

if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status ~= 'failed' then return finish({found(task)}) end

local errors = decoded_errors(task)
log_task_event('task_deleted', task, 'deleted from the dead-letter queue',
  metadata('dead_letter_reason', errors.dead_letter_reason or '') .. metadata('reason', errors.last_error or ''), tail)
plan_zrem(prefix .. 'tasks:failed', member_of(task))
plan('DEL', task.key)
plan_mark(mark)
count('deleted', 1)
commit()
return finish({{'done'}})
