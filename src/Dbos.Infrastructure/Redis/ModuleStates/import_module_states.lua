-- @include event_log
-- @include module_state
-- Puts states back into a store that has none of them, or has some of them from the same import.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, then of each of at most 100 states request, agent, module (percent-encoded), version, state,
--       timestamp, changed at in µs, JSON of the rest
--
-- Answers nothing. Each state is checked before it is written; one that cannot be written leaves those before it.
for request in next_arg do
  local agent, module, version, state, timestamp, changed_at, document =
    next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
  local key, _, first = find_state(request, agent, module)
  local sets = plan_sets(request, agent, module, changed_at, true, first)
  redis.call('SET', key, state_value(version, state, timestamp, changed_at, operation, agent, module, document))
  add_to_sets(sets)
end
return finish({})
