-- @include module_state
-- Records of states.
--
-- KEYS  as args.lua says
-- ARGV  how many bytes are enough, then request, agent and module of each of at most 100 states: percent-encoded
--
-- Answers the records in this order, '' for one that is not there. It ends after the record with which the bytes are enough.
local enough = next_number()
local records, bytes = {}, 0
for request in next_arg do
  local key = find_state(request, next_arg(), next_arg())
  local record = redis.call('GET', key) or ''
  records[#records + 1] = record
  bytes = bytes + #record
  if bytes >= enough then break end
end
return records
