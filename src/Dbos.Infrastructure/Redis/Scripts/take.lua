-- Moves members that are due from lanes to the indexes of what is held.
--
-- KEYS  1 event log   2 counts over all time   3 counts of this while
--       then for each source: lane, its turns, the indexes that its members leave, those that they enter;
--       then a record for each candidate
-- ARGV  1 most events      2 length at which the log is trimmed to them    3 how long the counts of this while are kept
--       4 how far ahead turns are told, ms    5 channel on which they are
--       6 due, Unix ms     7 lease in ms     8 most members     9 most bytes     10 1: the first whatever its size
--       11 event before, 12 after the object {member: delivery}
--       13 what a delivery is counted as      14 channel on which the end of a lease is told, '': none
--       15 now as the takers have it, Unix ms: turns are by their clock, as what they look for is
--       16 how many sources, then for each: how many turns, indexes to leave, indexes to enter; low and high bound of
--       the band, member in the turns; then for each candidate: member, number of its source
--
-- Answers, for each that was moved, six in a row: member, its score, version, document, payload, delivery;
-- and last when their leases expire, Unix ms, by this server's clock.

local key, arg = 3, 16

local function next_key()
  key = key + 1
  return KEYS[key]
end

local function next_arg()
  arg = arg + 1
  return ARGV[arg]
end

local function keys(count)
  local some = {}
  for i = 1, count do some[i] = next_key() end
  return some
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = string.format('%.0f', now + ARGV[7])
local due, most, bytes = tonumber(ARGV[6]), tonumber(ARGV[8]), tonumber(ARGV[9])
local first, holder = ARGV[10] == '1', ARGV[14]

local sources = {}
for i = 1, ARGV[16] do
  local turns, leaves, enters = next_arg(), next_arg(), next_arg()
  sources[i] = {
    index = next_key(), turns = keys(turns), leaves = keys(leaves), enters = keys(enters),
    low = next_arg(), high = next_arg(), turn = next_arg(),
    channel = ARGV[5], now = tonumber(ARGV[15]), horizon = tonumber(ARGV[4])
  }
end

local taken, told = {}, {}
for i = key + 1, #KEYS do
  if #told == most then break end
  local record, member, source = KEYS[i], next_arg(), sources[tonumber(next_arg())]
  local score = redis.call('ZSCORE', source.index, member)
  local document = score and score - source.low <= due and redis.call('HSTRLEN', record, 'document') or 0
  -- A member without its record is left to the audit.
  if document > 0 then
    local size = document + redis.call('HSTRLEN', record, 'payload')
    bytes = bytes - size
    if bytes < 0 and not first then break end
    first = false
    local delivery = redis.call('HINCRBY', record, 'deliveries', 1)
    local version = redis.call('HINCRBY', record, 'version', 1)
    if holder == '' then redis.call('HSET', record, 'leased_until', until_ms)
    else redis.call('HSET', record, 'leased_until', until_ms, 'holder', holder) end
    redis.call('ZREM', source.index, member)
    for _, index in ipairs(source.leaves) do redis.call('ZREM', index, member) end
    for _, index in ipairs(source.enters) do redis.call('ZADD', index, until_ms, member) end
    source.served = true
    local content = redis.call('HMGET', record, 'document', 'payload')
    local at = #taken
    taken[at + 1], taken[at + 2], taken[at + 3] = member, score, version
    taken[at + 4], taken[at + 5], taken[at + 6] = content[1], content[2], delivery
    told[#told + 1] = cjson.encode(member) .. ':' .. delivery
  end
end

for _, source in ipairs(sources) do
  if source.served then serve(source) end
end
if #told > 0 then
  local length = redis.call('LPUSH', KEYS[1], ARGV[11] .. '{' .. table.concat(told, ',') .. '}' .. ARGV[12])
  if length > tonumber(ARGV[2]) then redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1) end
  redis.call('HINCRBY', KEYS[2], ARGV[13], #told)
  if redis.call('HINCRBY', KEYS[3], ARGV[13], #told) == #told then redis.call('EXPIRE', KEYS[3], ARGV[3]) end
end
taken[#taken + 1] = until_ms
return taken
