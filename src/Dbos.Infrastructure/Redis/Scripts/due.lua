-- Entries of a banded index that are due, lowest first: of each band those up to an instant.
--
-- KEYS  1 index
-- ARGV  1 up to, Unix ms    2 most entries    3 width of a band
--
-- Answers member and score of each, in a row.

local up_to, most, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due, from = {}, '-inf'
while #due < 2 * most do
  local some = redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, most - #due / 2)
  if #some == 0 then return due end
  local band
  for i = 1, #some, 2 do
    local score = tonumber(some[i + 1])
    band = math.floor(score / width)
    if score - band * width > up_to then break end
    due[#due + 1], due[#due + 2] = some[i], some[i + 1]
  end
  -- The rest of this band is not due, or there are enough.
  from = string.format('%.0f', (band + 1) * width)
end
return due
