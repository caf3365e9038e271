-- @include args
-- How many tasks there are in each status, how old the oldest due one is, and what was counted.
--
-- ARGV  how many buckets of 10 s to read, besides the present one
--
-- Answers: pending, inflight, completed, failed, cancelled; for how long the oldest due task has been due, ms; how long
-- the buckets are so far, ms; then the counts over all time and those of the buckets: a list of names and amounts each.
local BANDS, BAND_WIDTH, BUCKET_MS = 10, 281474976710656, 10000
local buckets = next_number()
local function size(status) return redis.call('ZCARD', prefix .. 'tasks:' .. status) end
local function kept(status) return redis.call('ZCOUNT', prefix .. 'tasks:' .. status, '(' .. text(now), '+inf') end

local oldest = now
for band = 0, BANDS - 1 do
  local low = band * BAND_WIDTH
  local first = redis.call('ZRANGEBYSCORE', prefix .. 'tasks:pending', text(low), text(low + now), 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if first then oldest = math.min(oldest, first - low) end
end

local latest = math.floor(now / BUCKET_MS)
local answers = {size('pending'), size('inflight'), kept('completed'), size('failed'), kept('cancelled'), text(now - oldest),
  text(now - (latest - buckets) * BUCKET_MS), redis.call('HGETALL', prefix .. 'counts')}
for bucket = latest - buckets, latest do answers[#answers + 1] = redis.call('HGETALL', prefix .. 'counts:' .. text(bucket)) end
return answers
