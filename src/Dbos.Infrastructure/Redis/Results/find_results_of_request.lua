-- @include result_record
-- Reads the beginnings of the results of every agent under one id.
--
-- KEYS  as args.lua says
-- ARGV  id (percent-encoded), how many agents were read before, how many to read, bytes to read of each
--
-- Answers the first so many bytes of each.
local id, from, most, bytes = next_arg(), next_number(), next_number(), next_number()
local first = prefix .. 'result:' .. id
local beginnings = {}
if from == 0 then
  local found = redis.call('GETRANGE', first, 0, bytes - 1)
  if found == '' then return beginnings end
  beginnings[1] = found
end
local further = from - 1 + #beginnings
for _, agent in ipairs(redis.call('ZRANGE', prefix .. 'results:others:' .. id, further, further + most - #beginnings - 1)) do
  beginnings[#beginnings + 1] = redis.call('GETRANGE', first .. ':' .. agent, 0, bytes - 1)
end
return beginnings
