-- @include event_log
-- @include result_record
-- Puts results back. Their places wait in a sorted set, as streams take entries in order only: order_results.lua moves them.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, then for each result: id, agent's id (both percent-encoded), hash of the data with the rest of
--       the value behind it, when it was stored (Unix microseconds)
while args_read < #ARGV do
  local id, agent, content, stored_at = next_arg(), next_arg(), next_arg(), next_arg()
  local key, found, is_further = find_result(id, agent)
  if found == '' then
    redis.call('SET', key, value_head(agent) .. operation .. content)
    if is_further then redis.call('ZADD', prefix .. 'results:others:' .. id, 0, agent) end
  end
  redis.call('ZADD', prefix .. 'results:imported:', stored_at, agent .. ':' .. id)
end
return finish({})
