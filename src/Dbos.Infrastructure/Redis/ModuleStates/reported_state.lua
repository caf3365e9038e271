-- @include event_log
-- @include module_state
-- A state that an agent reports.
--
-- ARGV  request ('' a module's own life), agent, module: percent-encoded
--       state, states that it may follow: each with a space before and after
--       least and most version
--       timestamp in seconds (0: now), JSON of the rest
--       event up to its version where nothing is stored ('' as the next), where something is, event after its version
--
-- next_report() reads these, and what is stored.
local function next_report()
  local report = {
    request = next_arg(), agent = next_arg(), module = next_arg(), state = next_arg(), allowed = next_arg(),
    least = next_number(), most = next_number(), timestamp = next_arg(), document = next_arg(),
    first_event = next_arg(), later_event = next_arg(), event_tail = next_arg()}
  report.key, report.stored, report.first = find_state(report.request, report.agent, report.module)
  return report
end

-- It says what is stored.
local function is_repeated(report)
  local stored = report.stored
  return stored and stored.module == report.module and stored.state == report.state
    and (report.timestamp == '0' or report.timestamp == stored.timestamp)
    and redis.call('GETRANGE', report.key, stored.document_at - 1, -1) == report.document
end

-- What is stored allows it: nothing, or a state that it may follow, of the same module, at a version within the given bounds.
local function may_follow(report)
  local stored = report.stored
  local version = stored and stored.version or 0
  return version >= report.least and version <= report.most
    and (not stored or (stored.module == report.module and string.find(report.allowed, ' ' .. stored.state .. ' ', 1, true)))
end

-- The record that is stored, or false.
local function stored_record(report)
  return report.stored and redis.call('GET', report.key) or false
end

-- Reads every key that write_report() writes. Answers the version.
local function plan_report(report)
  local stored = report.stored
  local version = text((stored and stored.version or 0) + 1)
  local timestamp = report.timestamp == '0' and text(math.floor(now / 1000)) or report.timestamp
  local changed_at = text(time[1] * 1000000 + time[2])
  report.value = state_value(
    version, report.state, timestamp, changed_at, operation, report.agent, report.module, report.document)
  report.sets = plan_sets(report.request, report.agent, report.module, changed_at, not stored, report.first)
  local event = (stored or report.first_event == '') and report.later_event or report.first_event
  log_event(event .. ',"version":' .. version .. report.event_tail)
  return version
end

local function write_report(report)
  redis.call('SET', report.key, report.value)
  add_to_sets(report.sets)
end
