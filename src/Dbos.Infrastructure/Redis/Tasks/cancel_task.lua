-- @include task_record
-- @include leave_queues
-- Cancels a pending or inflight task.
--
-- ARGV  as event_log.lua, then: channel of what is due; begin of the channels of ended deliveries; how long cancelled tasks are kept,
--       ms; tail of the events; id, reason, and its mark as idempotency_mark.lua
--
-- Answers one: {'done'} | {'marked', value} | {'unknown'} | {'found', state, fixed, errors}
local due_channel, channel, kept, tail, id, reason = next_arg(), next_arg(), next_number(), next_arg(), next_arg(), next_arg()
local mark = next_mark()
local task = load_task(id)

local function leave_queue()
  local band, key = tonumber(task.band), queue_key(task.queue)
  local agent, module = split_queue(task.queue)
  plan_zrem(key, id)
  local low = band * BAND_WIDTH
  local first = redis.call('ZRANGEBYSCORE', key, low, low + BAND_WIDTH - 1, 'LIMIT', 0, 1)[1]
  if first == id then plan_leaving(agent, band, {[module] = head_of(key, band, 1) or false}, nil, due_channel) end
end

if task and task.operation == operation then return finish({{'done'}}) end
if mark.found then return finish({{'marked', mark.found}}) end
if not task then return finish({{'unknown'}}) end
if task.status ~= 'pending' and task.status ~= 'inflight' then return finish({found(task)}) end

local errors = decoded_errors(task)
errors.last_error = reason
plan_zrem(prefix .. 'tasks:' .. task.status, member_of(task))
plan_zadd(prefix .. 'tasks:cancelled', now + kept, member_of(task))
if task.status == 'pending' then leave_queue() end
log_task_event('task_cancelled', task, 'cancelled while ' .. task.status, metadata('reason', reason), tail)
count('cancelled', 1)
task.status, task.ended_at = 'cancelled', text(now)
report_end(task, channel)
plan_state(task)
plan_errors(task, errors)
plan_mark(mark)
commit()
return finish({{'done'}})
