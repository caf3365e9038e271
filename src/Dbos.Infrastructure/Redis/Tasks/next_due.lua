-- @include task_places
-- The score of the first entry that is due by then, in "ready" or another set scored by band and time; nil: nothing is due.
local function next_due(key, due)
  local band = 0
  while true do
    local score = redis.call('ZRANGEBYSCORE', key, band * BAND_WIDTH, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not score then return nil end
    band = math.floor(score / BAND_WIDTH)
    if score - band * BAND_WIDTH <= due then return score end
    band = band + 1
  end
end
