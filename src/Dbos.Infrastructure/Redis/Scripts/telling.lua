-- The event log and the counts, for the scripts that begin with these:
--
-- KEYS  1 event log     2 counts over all time    3 counts of this while
-- ARGV  1 most events   2 length at which the log is trimmed to them    3 how long the counts of this while are kept

local events, counts = {}, {}

local function tell(event)
  events[#events + 1] = event
end

local function count(name, some)
  counts[name] = (counts[name] or 0) + some
end

local function finish_telling()
  -- As many at once as Lua's stack surely takes.
  local length = 0
  for from = 1, #events, 1000 do
    length = redis.call('LPUSH', KEYS[1], unpack(events, from, math.min(from + 999, #events)))
  end
  if length > tonumber(ARGV[2]) then redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1) end
  for name, some in pairs(counts) do
    redis.call('HINCRBY', KEYS[2], name, some)
    if redis.call('HINCRBY', KEYS[3], name, some) == some then redis.call('EXPIRE', KEYS[3], ARGV[3]) end
  end
end
