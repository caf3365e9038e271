-- @include task_record
-- @include new_result
-- @include reported_state
-- The result and the state that a holder reports with the end of its delivery.
--
-- ARGV  agent whose result and state it is, percent-encoded as in the names of queues; 1 if a result follows, else 0; 1 if a state
--       follows, else 0; then those of new_result.lua and of reported_state.lua
--
-- next_delivery_report() reads these. The script compares and plans all parts before it writes any.
local function next_delivery_report()
  local agent, has_result, has_state = next_arg(), next_arg() == '1', next_arg() == '1'
  return {agent = agent, result = has_result and next_result(), state = has_state and next_report()}
end

-- The parts may be written with the task, or are stored. A result with other data than the stored one is not written.
local function accepts(report, task)
  if not report.result and not report.state then return true end
  local agent = split_queue(task.queue)
  return (agent == '' or agent == report.agent)
    and (not report.state or is_repeated(report.state) or may_follow(report.state))
end

local function plan_delivery_report(report)
  if report.result and report.result.stored == '' then plan_result(report.result) end
  if report.state and not is_repeated(report.state) then
    report.is_new_state = true
    plan_report(report.state)
  end
end

-- Runs all that was planned. With a new result it begins with a write that needs memory, else with one that frees some.
local function commit_with(report)
  if report.result and report.result.stored == '' then write_result(report.result) end
  commit()
  if report.is_new_state then write_report(report.state) end
end

-- The end of an answer 'found': what is stored of the result ('', 'same' or 'other') and of the state (the record or false).
local function found_with(report, task)
  local answer = found(task)
  answer[#answer + 1] = report.result and report.result.stored or ''
  answer[#answer + 1] = report.state and stored_record(report.state)
  return answer
end
