-- @include write_rights
-- Proves that scripts can write, tells the time and how the store is laid out, and looks what is due next. What it publishes
-- proves to whoever asks that it hears.
--
-- KEYS  1 layout, of which only the first partition has one    then for each partition: probe, turns, the indexes of deadlines
--       then the absent key
-- ARGV  1 how many partitions    2 how many indexes of deadlines
--       3 turns due after this, 4 up to this are told, Unix ms    5 most of each band    6 bands    7 width of a band
--
-- Answers what layout.lua answers; when the earliest of those is due that came last in a full band, Unix ms, '' none; the lowest
-- score of each index of deadlines, '' none; then members of the turns and their scores.

local publication = ARGV[9] ~= '' and {channel = ARGV[8], message = ARGV[9]} or nil
local refused = missing_right(string.sub(KEYS[1], 1, -#'layout' - 1), publication)
if refused then return refused end
local time = redis.call('TIME')
local deadlines, most = tonumber(ARGV[2]), tonumber(ARGV[5])
local answer = redis.call('HMGET', KEYS[1], 'partitions', 'schema', 'moved_from')
answer[4], answer[5], answer[6] = time[1], time[2], ''
for i = 1, deadlines do answer[6 + i] = '' end
local cut

local key = 1
for _ = 1, ARGV[1] do
  redis.call('SET', KEYS[key + 1], time[1], 'EX', 60)
  for i = 1, deadlines do
    local first = redis.call('ZRANGE', KEYS[key + 2 + i], 0, 0, 'WITHSCORES')[2]
    local lowest = answer[6 + i]
    if first and (lowest == '' or tonumber(first) < tonumber(lowest)) then answer[6 + i] = first end
  end
  if redis.call('EXISTS', KEYS[key + 2]) == 1 then
    for band = 0, ARGV[6] - 1 do
      local low = band * ARGV[7]
      local soon = redis.call('ZRANGEBYSCORE', KEYS[key + 2],
        string.format('(%.0f', low + ARGV[3]), string.format('%.0f', low + ARGV[4]), 'WITHSCORES', 'LIMIT', 0, most)
      for i = 1, #soon do answer[#answer + 1] = soon[i] end
      if #soon == 2 * most then cut = math.min(cut or math.huge, soon[2 * most] - low) end
    end
  end
  key = key + 2 + deadlines
end
if cut then answer[6] = string.format('%.0f', cut) end
return answer
