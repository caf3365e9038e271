-- @include module_state
-- The state of a request.
--
-- KEYS  as args.lua says
-- ARGV  request, agent ('' the one that changed last): percent-encoded
--
-- Answers the record, or nil.
local request, agent = next_arg(), next_arg()
if agent == '' then
  agent = redis.call('ZREVRANGE', prefix .. 'states:request:' .. request, 0, 0)[1]
  if not agent then return redis.call('GET', prefix .. 'state:' .. request) end
end
local key, stored = find_state(request, agent)
return stored and redis.call('GET', key)
