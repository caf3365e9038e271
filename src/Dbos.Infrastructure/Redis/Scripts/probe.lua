-- Proves that scripts can write, tells the time and how the store is laid out, and looks what is due next. What it publishes
-- proves to whoever asks that it hears.
--
-- KEYS  1 layout, of which only the first partition has one    then for each partition: probe, turns, the indexes of deadlines
-- ARGV  1 how many partitions    2 how many indexes of deadlines
--       3 turns due after this, 4 up to this are told, Unix ms    5 most of each band    6 bands    7 width of a band
--
-- Answers what layout.lua answers; the lowest score of each index of deadlines, '' none; then members of the turns
-- and their scores.

local time = redis.call('TIME')
local deadlines = tonumber(ARGV[2])
local answer = redis.call('HMGET', KEYS[1], 'partitions', 'schema', 'moved_from')
answer[4], answer[5] = time[1], time[2]
for i = 1, deadlines do answer[5 + i] = '' end

local key = 1
for _ = 1, ARGV[1] do
  redis.call('SET', KEYS[key + 1], time[1], 'EX', 60)
  for i = 1, deadlines do
    local first = redis.call('ZRANGE', KEYS[key + 2 + i], 0, 0, 'WITHSCORES')[2]
    local lowest = answer[5 + i]
    if first and (lowest == '' or tonumber(first) < tonumber(lowest)) then answer[5 + i] = first end
  end
  if redis.call('EXISTS', KEYS[key + 2]) == 1 then
    for band = 0, ARGV[6] - 1 do
      local low = band * ARGV[7]
      local soon = redis.call('ZRANGEBYSCORE', KEYS[key + 2],
        string.format('(%.0f', low + ARGV[3]), string.format('%.0f', low + ARGV[4]), 'WITHSCORES', 'LIMIT', 0, ARGV[5])
      for i = 1, #soon do answer[#answer + 1] = soon[i] end
    end
  end
  key = key + 2 + deadlines
end
if ARGV[9] ~= '' then redis.call('PUBLISH', ARGV[8], ARGV[9]) end
return answer
