-- Moves members that are due from lanes to the indexes of what is held.
--
-- KEYS  1 event log   2 counts over all time   3 counts of this while   4 the absent key
--       then for each source: lane, its turns, the indexes that its members leave, those that they enter;
--       then a record for each candidate
-- ARGV  1 most events      2 (not used)   3 how long the counts of this while are kept
--       4 how far ahead turns are told, ms    5 channel on which they are
--       6 due, Unix ms     7 lease in ms     8 most members     9 most bytes     10 1: the first whatever its size
--       11 event before the object {member: delivery}, 12 between it and the array [owner], 13 after that
--       14 what a delivery is counted as      15 channel on which the end of a lease is told, '': none
--       16 when what is left has been served, Unix ms, by the takers' clock, as what they look for is
--       17 how many sources, then for each: how many turns, indexes to leave, indexes to enter; low and high bound of
--       the band, member in the turns, owner ('': nobody is told); then for each candidate: member, number of its source
--
-- Answers, for each that was moved, six in a row: member, its score, version, document, payload, delivery;
-- and last when their leases expire, Unix ms, by this server's clock.

key, arg = 4, 17

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = string.format('%.0f', now + ARGV[7])
local due, most, bytes = tonumber(ARGV[6]), tonumber(ARGV[8]), tonumber(ARGV[9])
local first, holder = ARGV[10] == '1', ARGV[15]

local sources = {}
for i = 1, ARGV[17] do
  local turns, leaves, enters = next_arg(), next_arg(), next_arg()
  sources[i] = {
    index = next_key(), turns = next_keys(turns), leaves = next_keys(leaves), enters = next_keys(enters),
    low = next_arg(), high = next_arg(), turn = next_arg(), owner = next_arg(),
    channel = ARGV[5], now = tonumber(ARGV[16]), horizon = tonumber(ARGV[4])
  }
end

-- Members are taken out when all are known.
local function is_taken(index, member)
  return changes[index] and changes[index][member] == false
end

local taken, told = {}, {}
for i = key + 1, #KEYS do
  if #told == most then break end
  local record, member, source = KEYS[i], next_arg(), sources[tonumber(next_arg())]
  local score = not is_taken(source.index, member) and redis.call('ZSCORE', source.index, member)
  local stored = score and score - source.low <= due
    and redis.call('HMGET', record, 'version', 'document', 'payload', 'deliveries')
  -- A member without its record is left to the audit.
  if stored and stored[2] then
    bytes = bytes - #stored[2] - #(stored[3] or '')
    if bytes < 0 and not first then break end
    first = false
    local version, delivery = string.format('%.0f', stored[1] + 1), string.format('%.0f', (stored[4] or 0) + 1)
    if holder == '' then
      redis.call('HSET', record, 'version', version, 'deliveries', delivery, 'leased_until', until_ms)
    else
      redis.call('HSET', record, 'version', version, 'deliveries', delivery, 'leased_until', until_ms, 'holder', holder)
    end
    place(source.index, member, false)
    for _, index in ipairs(source.leaves) do place(index, member, false) end
    for _, index in ipairs(source.enters) do place(index, member, until_ms) end
    source.served = true
    local at = #taken
    taken[at + 1], taken[at + 2], taken[at + 3] = member, score, version
    taken[at + 4], taken[at + 5], taken[at + 6] = stored[2], stored[3], delivery
    told[#told + 1] = cjson.encode(member) .. ':' .. delivery
  end
end

finish_indexing()
local owners, known = {}, {[''] = true}
for _, source in ipairs(sources) do
  if source.served then
    serve(source)
    if not known[source.owner] then
      known[source.owner] = true
      owners[#owners + 1] = cjson.encode(source.owner)
    end
  end
end
if #told > 0 then
  tell(ARGV[11] .. '{' .. table.concat(told, ',') .. '}' .. ARGV[12] .. '[' .. table.concat(owners, ',') .. ']' .. ARGV[13])
  count(ARGV[14], #told)
end
finish_telling()
taken[#taken + 1] = until_ms
return taken
