-- @include event_log
-- @include module_state
-- Puts states back into a store that has none of them, or has some of them from the same import.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, then of each of at most 100 states request, agent, module (percent-encoded), version, state,
--       timestamp, changed at in µs, JSON of the rest
--
--       No two of them are of the same request.
--
-- Answers nothing.
local records = {}
for request in next_arg do
  local agent, module, version, state, timestamp, changed_at, document =
    next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
  local key, _, first = find_state(request, agent, module)
  records[#records + 1] = {
    key = key,
    value = state_value(version, state, timestamp, changed_at, operation, agent, module, document),
    sets = plan_sets(request, agent, module, changed_at, true, first),
  }
end
for _, record in ipairs(records) do
  redis.call('SET', record.key, record.value)
  add_to_sets(record.sets)
end
return finish({})
