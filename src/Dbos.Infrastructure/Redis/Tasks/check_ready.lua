-- @include leave_queues
-- Compares the turns of queues with what waits in them: one agent's module in one band after the other.
--
-- ARGV  as event_log.lua, then: 1: put right what is wrong; head and tail of the events; how many; then the queues, "agent:module"
--
-- Answers for each that was wrong: '', what is wrong; then one number: queues that were looked at.
local repairs, head, tail, queues = next_arg() == '1', next_arg(), next_arg(), next_number()
local BANDS = 10
local answers = {}

local function turn_at(key, member)
  return tonumber(redis.call('ZSCORE', prefix .. key, member) or nil)
end

local function wrong_with(queue, band, first)
  local agent, module = split_queue(queue)
  local of_agent, of_module = band .. ':' .. module, band .. ':' .. agent
  local turns = {
    ['ready:agent:' .. agent] = turn_at('ready:agent:' .. agent, of_agent),
    ['ready:module:' .. module] = turn_at('ready:module:' .. module, of_module)}
  for _, key in ipairs({'ready:agent:' .. agent, 'ready:module:' .. module}) do
    if first and not turns[key] then return 'queue ' .. queue .. ' waits without its turn in ' .. key end
    if first and turns[key] < first + band * BAND_WIDTH then return key .. ' has the turn of queue ' .. queue .. ' too early' end
    if not first and turns[key] then return key .. ' has a turn of queue ' .. queue .. ', in which nothing waits' end
  end
  if first and not turn_at('ready', of_module) then return 'agent of queue ' .. queue .. ' waits without its turn in ready' end
  return nil
end

for _ = 1, queues do
  local queue = next_arg()
  local agent, module = split_queue(queue)
  for band = 0, BANDS - 1 do
    local first = head_of(queue_key(queue), band)
    local wrong = wrong_with(queue, band, first)
    if wrong then
      answers[#answers + 1], answers[#answers + 2] = '', wrong
      if repairs then
        plan_leaving(agent, band, {[module] = first or false})
        log_event(head .. '"what":' .. cjson.encode(wrong) .. tail)
        count('repaired', 1)
      end
    end
  end
end
commit()
answers[#answers + 1] = queues
return finish(answers)
