-- @include args
-- Ids of a slice of the agents whose deadline lies in a range, earliest first. Writes nothing.
--
-- KEYS  as args.lua says
-- ARGV  lowest and highest deadline as ZRANGEBYSCORE takes them · how many to pass over · how many to look at, 100 at most
-- Answer  ids with a record · ids without one, or with one that cannot be read
local lowest, highest, skip, most = next_arg(), next_arg(), next_arg(), next_arg()
local known, unknown = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'agents:deadlines', lowest, highest, 'LIMIT', skip, most)) do
  local name = string.gsub(string.gsub(id, '%%', '%%25'), ':', '%%3A')
  local ids = redis.pcall('HEXISTS', prefix .. 'agent:' .. name, 'state') == 1 and known or unknown
  ids[#ids + 1] = id
end
return {known, unknown}
