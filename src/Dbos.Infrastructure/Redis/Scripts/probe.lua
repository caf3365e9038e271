-- Proves that scripts can write, and looks what is due next.
--
-- KEYS  for each partition: probe, turns, the indexes of deadlines
-- ARGV  1 how many partitions    2 how many indexes of deadlines
--       3 turns due after this, 4 up to this are told, Unix ms    5 most of each band    6 bands    7 width of a band
--
-- Answers the lowest score of each index of deadlines, '' none; then members of the turns and their scores.

local now = redis.call('TIME')[1]
local deadlines = tonumber(ARGV[2])
local answer = {}
for i = 1, deadlines do answer[i] = '' end

local key = 0
for _ = 1, ARGV[1] do
  redis.call('SET', KEYS[key + 1], now, 'EX', 60)
  for i = 1, deadlines do
    local first = redis.call('ZRANGE', KEYS[key + 2 + i], 0, 0, 'WITHSCORES')[2]
    local lowest = answer[i]
    if first and (lowest == '' or tonumber(first) < tonumber(lowest)) then answer[i] = first end
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
return answer
