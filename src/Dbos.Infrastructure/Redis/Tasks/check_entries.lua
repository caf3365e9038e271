-- @include task_record
-- @include sorted_page
-- Compares a slice of the entries of a status' set or of a queue with the records that they name. The record is believed.
--
-- ARGV  as event_log.lua, then: 1: remove what is wrong; head and tail of the events; name of the set; score and member behind which
--       the slice begins (score '': from the start); how many
--
-- Answers for each that was wrong: id, what is wrong; then three: entries that were looked at, score and member of the last
-- one ('' and '': the set ends here).
local repairs, head, tail, name = next_arg() == '1', next_arg(), next_arg(), next_arg()
local score, member, most = next_arg(), next_arg(), next_number()
local key = prefix .. name
local status = string.match(name, '^tasks:(.*)$')
local queue = string.match(name, '^queue:(.*)$')
local answers = {}
local rank = score == '' and 0 or rank_behind(key, true, score, member)
local entries = redis.call('ZRANGE', key, rank, rank + most - 1, 'WITHSCORES')

local function wrong_with(id, task, at)
  if not task then return name .. ' has it, but there is no such task' end
  local fits = task.status == (status or 'pending') and (not queue or task.queue == queue)
  if fits and task.status == 'pending' then fits = tonumber(at) == task.band * BAND_WIDTH + task.visible_at end
  if fits and task.status == 'inflight' then fits = tonumber(at) == tonumber(task.visible_at) end
  if not fits then return name .. ' has it at ' .. at .. ', where it does not belong' end
  return nil
end

for i = 1, #entries, 2 do
  local id = queue and entries[i] or string.match(entries[i], '^[^:]*:[^:]*:(.*)$')
  local wrong = wrong_with(id, load_task(id), entries[i + 1])
  if wrong then
    answers[#answers + 1], answers[#answers + 2] = id, wrong
    if repairs then
      plan_zrem(key, entries[i])
      local text_of_id = string.sub(cjson.encode(id), 2, -2)
      log_event(head .. '"task_id":"' .. text_of_id .. '"' .. metadata('what', wrong) .. tail)
      count('repaired', 1)
    end
  end
end
commit()

local is_last = #entries < 2 * most
answers[#answers + 1] = #entries / 2
answers[#answers + 1] = is_last and '' or entries[#entries]
answers[#answers + 1] = is_last and '' or entries[#entries - 1]
return finish(answers)
