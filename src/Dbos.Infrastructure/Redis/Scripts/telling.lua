-- @include event_stamp
-- The event log and the counts, for the scripts that begin with these:
--
-- KEYS  1 event log (a stream)   2 counts over all time    3 counts of this while
-- ARGV  1 most events   2 (not used)    3 how long the counts of this while are kept

local events, counts = {}, {}

local function tell(event)
  events[#events + 1] = event
end

local function count(name, some)
  counts[name] = (counts[name] or 0) + some
end

local function finish_telling()
  local told_at = redis.call('TIME')
  local stamp = event_stamp(told_at[1] * 1000 + math.floor(told_at[2] / 1000))
  for _, event in ipairs(events) do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', event .. stamp)
  end
  for name, some in pairs(counts) do
    redis.call('HINCRBY', KEYS[2], name, some)
    if redis.call('HINCRBY', KEYS[3], name, some) == some then redis.call('EXPIRE', KEYS[3], ARGV[3]) end
  end
end
