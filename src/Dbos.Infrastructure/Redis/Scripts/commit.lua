-- Some records' next versions, each with its mark, indexes, lanes, events and counts: of each all of it, or nothing.
--
-- KEYS  1 event log   2 counts over all time   3 counts of this while   4 the absent key
--       then for each commit: record, mark (the record again: no mark), an index for each change, and for each
--       lane change the lane and its turns
-- ARGV  1 most events      2 (not used)   3 how long the counts of this while are kept
--       4 now, Unix ms     5 how far ahead turns are told, ms    6 channel on which they are    7 how many commits
--       then for each commit:
--         expected version (0: nothing stored), document, payload ('' as it is), deletes (1),
--         lease ('' as it is, 0 ends, else Unix ms), mark's value, mark's lifetime in seconds,
--         how many events, index changes, lane changes, counts;
--         the events; for each index change: score ('' takes out), member; for each lane change: due ('' takes
--         out), member, low and high bound of the band, member in the turns, how many turns; the names of the counts
--
-- Answers for each commit
--          0          done
--          {1, value} the mark was there
--          {2, version, document, payload, deliveries, leased_until}  at another version; version false: nothing stored

key, arg = 4, 7

local function commit()
  local record, mark = next_key(), next_key()
  local expected, document, payload, deletes, lease, value, lifetime =
    next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg(), next_arg()
  local events, indexes, lanes, counted = next_arg(), next_arg(), next_arg(), next_arg()

  local refusal
  local set = mark ~= record and redis.call('GET', mark)
  local stored = redis.call('HMGET', record, 'version', 'holder', 'deliveries')
  if set then
    refusal = {1, set}
  elseif (stored[1] or '0') ~= expected then
    local found = redis.call('HMGET', record, 'document', 'payload', 'deliveries', 'leased_until')
    refusal = {2, stored[1], found[1], found[2], found[3], found[4]}
  end

  if not refusal then
    if deletes == '1' then
      redis.call('DEL', record)
    else
      local version = string.format('%.0f', expected + 1)
      if payload == '' then
        redis.call('HSET', record, 'version', version, 'document', document)
      else
        redis.call('HSET', record, 'version', version, 'document', document, 'payload', payload)
      end
      if lease == '0' then redis.call('HDEL', record, 'leased_until', 'holder')
      elseif lease ~= '' then redis.call('HSET', record, 'leased_until', lease) end
    end
    if lease == '0' and stored[2] then redis.call('PUBLISH', stored[2], stored[3] .. ' ' .. record) end
    if mark ~= record then redis.call('SET', mark, value, 'EX', lifetime) end
  end

  for _ = 1, events do
    local told = next_arg()
    if not refusal then tell(told) end
  end
  for _ = 1, indexes do
    local index, score, member = next_key(), next_arg(), next_arg()
    if not refusal then
      place(index, member, score ~= '' and score)
    end
  end
  for _ = 1, lanes do
    local due, member = next_arg(), next_arg()
    local lane = {
      low = next_arg(), high = next_arg(), turn = next_arg(), index = next_key(), turns = next_keys(next_arg()),
      now = tonumber(ARGV[4]), horizon = tonumber(ARGV[5]), channel = ARGV[6]
    }
    if not refusal then
      if due == '' then leave(lane, member) else enter(lane, member, lane.low + due) end
    end
  end
  for _ = 1, counted do
    local name = next_arg()
    if not refusal then count(name, 1) end
  end
  return refusal or 0
end

local answers = {}
for i = 1, ARGV[7] do answers[i] = commit() end
finish_indexing()
finish_telling()
return answers
