-- @include args
-- @include sorted_page
-- @include task_filter
-- Entries of a status behind a place, of those that a filter lets through. Looks at a bounded number.
--
-- ARGV  status; 1: lowest score first, else highest; 1: entries of up to now are not counted; score and member behind which the page
--       begins (score '': from the start); begin of the members ('' any), module after the agent ('' any); how many at the
--       most; how many to look at
--
-- Answers score and member of the last entry looked at where the search stopped early ('' and '': it came to the end or found
-- enough), then score and member of each.
local status, is_up, hides_past = next_arg(), next_arg() == '1', next_arg() == '1'
local score, member, agent, module, most, looks = next_arg(), next_arg(), next_arg(), next_arg(), next_number(), next_number()
local AT_ONCE = 500
local key = prefix .. 'tasks:' .. status
local answers = {'', ''}
local rank = score == '' and 0 or rank_behind(key, is_up, score, member)

local looked = 0
while #answers < 2 + 2 * most do
  local count = math.min(looks - looked, AT_ONCE, agent == '' and module == '' and most - #answers / 2 + 1 or AT_ONCE)
  local entries = redis.call(is_up and 'ZRANGE' or 'ZREVRANGE', key, rank, rank + count - 1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    if hides_past and tonumber(entries[i + 1]) <= now then return answers end
    if #answers == 2 + 2 * most then return answers end
    if passes(entries[i], agent, module) then
      answers[#answers + 1] = entries[i + 1]
      answers[#answers + 1] = entries[i]
    end
  end
  if #entries < 2 * count then return answers end
  looked, rank = looked + count, rank + count
  if looked == looks then
    if #answers < 2 + 2 * most then answers[1], answers[2] = entries[#entries], entries[#entries - 1] end
    return answers
  end
end
return answers
