-- @include result_record
-- Reads results, latest stored first.
--
-- KEYS  as args.lua says
-- ARGV  agent's id (percent-encoded; '' all agents), place of the first in the manner of XREVRANGE, how many at most, bytes of
--       values that are not exceeded except by a first result
--
-- Answers 1 if there are more (else 0), then place, id (percent-encoded) and value of each. What has no value is left out.
local only, from, most, budget = next_arg(), next_arg(), next_number(), next_number()
local stream = only == '' and prefix .. 'results' or prefix .. 'results:' .. only
local entries = redis.call('XREVRANGE', stream, from, '-', 'COUNT', most + 1)
local answers, bytes = {#entries > most and 1 or 0}, 0
for i = 1, math.min(#entries, most) do
  local fields = entries[i][2]
  local agent, id = only == '' and fields[1] or only, fields[2]
  local key, found = find_result(id, agent)
  if found ~= '' then
    bytes = bytes + redis.call('STRLEN', key)
    if bytes > budget and #answers > 1 then
      answers[1] = 1
      break
    end
    local at = #answers
    answers[at + 1], answers[at + 2], answers[at + 3] = entries[i][1], id, redis.call('GET', key)
  end
end
return answers
