-- Puts back records as they were in another store, with their indexes and lanes, and marks and counts.
--
-- KEYS  1 counts over all time
--       then for each record: record, an index for each entry, and for each lane entry the lane and its turns;
--       then for each mark: mark
-- ARGV  1 now, Unix ms    2 how far ahead turns are told, ms    3 channel on which they are
--       4 how many records, 5 marks, 6 counts
--       then for each record:
--         version, document, payload ('' none), deliveries, leased until ('' nobody holds it), how many index entries, lane entries;
--         for each index entry: score, member; for each lane entry: due, member, low and high bound of the band,
--         member in the turns, how many turns;
--       for each mark: value, lifetime in ms; for each count: name, amount

key, arg = 1, 6

local function restore_record()
  local record, version, document, payload, deliveries, lease = next_key(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
  redis.call('HSET', record, 'version', version, 'document', document)
  if payload ~= '' then redis.call('HSET', record, 'payload', payload) end
  if deliveries ~= '0' then redis.call('HSET', record, 'deliveries', deliveries) end
  if lease ~= '' then redis.call('HSET', record, 'leased_until', lease) end
  local indexes, lanes = next_arg(), next_arg()
  for _ = 1, indexes do
    local index, score, member = next_key(), next_arg(), next_arg()
    place(index, member, score)
  end
  for _ = 1, lanes do
    local due, member = next_arg(), next_arg()
    local lane = {
      low = next_arg(), high = next_arg(), turn = next_arg(), index = next_key(), turns = next_keys(next_arg()),
      now = tonumber(ARGV[1]), horizon = tonumber(ARGV[2]), channel = ARGV[3]
    }
    enter(lane, member, lane.low + due)
  end
end

for _ = 1, ARGV[4] do restore_record() end
finish_indexing()
for _ = 1, ARGV[5] do
  local mark, value, lifetime = next_key(), next_arg(), next_arg()
  redis.call('SET', mark, value, 'PX', lifetime)
end
for _ = 1, ARGV[6] do
  local name, amount = next_arg(), next_arg()
  redis.call('HINCRBY', KEYS[1], name, amount)
end
