-- @include end_delivery
-- Ends leases that have expired, the earliest first: back to the queue, or dead-lettered when they expired too often.
--
-- ARGV  as event_log.lua, then: channel of what is due; begin of the channels of ended deliveries; tail of the events; how many at
--       the most
--
-- Answers two numbers: leases that ended, entries that did not fit their record and were put right.
local due_channel, end_channel, tail, most = next_arg(), next_arg(), next_arg(), next_number()
local expired, mended = 0, 0

local function expire(task)
  local expiries = task.expiries + 1
  local error = 'lease ' .. task.token .. ' expired'
  local errors = add_failure(task, 'lease_expired', error, error)
  local more = metadata('expiry_count', text(expiries)) .. metadata('max_expiries', task.max_expiries) .. metadata('reason', error)
  task.expiries = text(expiries)
  count('lease_expired', 1)
  if expiries > tonumber(task.max_expiries) then
    dead_letter(task, due_again(task), errors, 'max_expiries')
    log_task_event('task_lease_expired', task, 'lease expired', more, tail)
    log_task_event('task_dead_lettered', task, 'moved to the dead-letter queue: max_expiries exceeded', more, tail)
  else
    return_to_queue(task, due_again(task))
    log_task_event('task_lease_expired', task, 'lease expired, returned to the queue', more, tail)
  end
  report_end(task, end_channel)
  plan_state(task)
  plan_errors(task, errors)
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', INFLIGHT, '-inf', now, 'LIMIT', 0, most)) do
  local task = load_task(string.match(member, '^[^:]*:[^:]*:(.*)$'))
  if task and task.status == 'inflight' and tonumber(task.visible_at) <= now then
    expire(task)
    expired = expired + 1
  else
    -- An entry that lies here for ever would hold up all that come after it.
    if task and task.status == 'inflight' then
      plan_zadd(INFLIGHT, task.visible_at, member)
    else
      plan_zrem(INFLIGHT, member)
    end
    mended = mended + 1
  end
end

plan_turns(due_channel)
commit()
return finish({expired, mended})
