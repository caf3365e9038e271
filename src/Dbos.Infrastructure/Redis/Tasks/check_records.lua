-- @include task_record
-- @include enter_queues
-- Compares records of tasks with the places where they must be found. The record is believed.
--
-- ARGV  as event_log.lua, then: 1: put right what is wrong; channel of what is due; how long ended tasks are kept, ms; tail of the
--       events; how many; then the ids
--
-- Answers for each that was wrong: id, what is wrong; then one number: records that were looked at.
local repairs, channel, kept, tail, tasks = next_arg() == '1', next_arg(), next_number(), next_arg(), next_number()
local answers, checked = {}, 0

local function score_of(task)
  if task.status == 'pending' then return task.band * BAND_WIDTH + task.visible_at end
  if task.status == 'inflight' then return tonumber(task.visible_at) end
  return nil
end

local function wrong_with(task)
  local set = 'tasks:' .. task.status
  local found_at, expected = redis.call('ZSCORE', prefix .. set, member_of(task)), score_of(task)
  if not found_at then return 'it is ' .. task.status .. ', but not in ' .. set end
  if expected and tonumber(found_at) ~= expected then
    return 'it is in ' .. set .. ' at ' .. found_at .. ', not at ' .. text(expected)
  end
  if task.status == 'pending' then
    local queued_at = redis.call('ZSCORE', queue_key(task.queue), task.id)
    if not queued_at then return 'it is pending, but not in its queue' end
    if tonumber(queued_at) ~= expected then return 'it is in its queue at ' .. queued_at .. ', not at ' .. text(expected) end
  end
  return nil
end

for _ = 1, tasks do
  local task = load_task(next_arg())
  local wrong = task and wrong_with(task)
  if task then checked = checked + 1 end
  if wrong then
    answers[#answers + 1], answers[#answers + 2] = task.id, wrong
    if repairs then
      if task.status == 'pending' then
        plan_pending(task.id, task.queue, tonumber(task.band), tonumber(task.visible_at))
      elseif task.status == 'inflight' then
        plan_zadd(INFLIGHT, task.visible_at, member_of(task))
      else
        plan_zadd(prefix .. 'tasks:' .. task.status, task.ended_at + (task.status == 'failed' and 0 or kept), member_of(task))
      end
      log_task_event('task_repaired', task, 'repaired: ' .. wrong, '', tail)
      count('repaired', 1)
    end
  end
end

plan_turns(channel)
commit()
answers[#answers + 1] = checked
return finish(answers)
