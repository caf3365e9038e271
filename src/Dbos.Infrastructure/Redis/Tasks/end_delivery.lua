-- @include task_record
-- @include enter_queues
-- How a delivery ends other than by an acknowledgement.

-- A delivery failed: remembered in the history, the oldest of which goes.
-- by: the operation that must recognize later what it has done; nil: none must
local function add_failure(task, kind, error, history_error, by)
  local errors = decoded_errors(task)
  errors.last_error = error
  errors.history = errors.history or {}
  if #errors.history == MOST_HISTORY then table.remove(errors.history, 1) end
  errors.history[#errors.history + 1] = {
    lease_token = tonumber(task.token), failed_at = math.floor(now / 1000), kind = kind, error = history_error, operation = by}
  return errors
end

-- The task is pending again. due: Unix ms
local function return_to_queue(task, due)
  plan_zrem(INFLIGHT, member_of(task))
  task.status, task.visible_at = 'pending', text(due)
  plan_pending(task.id, task.queue, tonumber(task.band), due)
end

-- The task has failed for good. reason: the limit that was exceeded, or why it is not retried
local function dead_letter(task, due, errors, reason)
  plan_zrem(INFLIGHT, member_of(task))
  plan_zadd(prefix .. 'tasks:failed', now, member_of(task))
  task.status, task.visible_at, task.ended_at = 'failed', text(due), text(now)
  errors.dead_letter_reason = reason
  count('dead_lettered', 1)
end

-- A delivery that is no failed attempt keeps its place: due when it was scheduled, but not later than now.
local function due_again(task)
  return math.min(tonumber(task.scheduled_at), now)
end
