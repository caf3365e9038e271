-- Moves members that are due from the index of what waits to the index of what is held.
--
-- KEYS  1 waiting   2 held   3 event log   4.. a record for each candidate
-- ARGV  1 due, Unix ms     2 lease in ms     3 most members
--       4 most bytes       5 1: the first whatever its size
--       6 most events      7 length at which the log is trimmed to them
--       8 event before, 9 after the object {member: delivery}    10.. the candidates
--
-- Answers, for each that was moved, six in a row: member, its score, version, document, payload, delivery;
-- and last when their leases expire, Unix ms. The clock is this server's.

local waiting, held, log = KEYS[1], KEYS[2], KEYS[3]
local due, most, bytes = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local first = ARGV[5] == '1'
local time = redis.call('TIME')
local until_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2])

local taken, told = {}, {}
for i = 4, #KEYS do
  if #told == most then break end
  local member, record = ARGV[i + 6], KEYS[i]
  local score = redis.call('ZSCORE', waiting, member)
  if score and tonumber(score) <= due then
    local size = redis.call('HSTRLEN', record, 'document') + redis.call('HSTRLEN', record, 'payload')
    bytes = bytes - size
    if bytes < 0 and not first then break end
    first = false
    local delivery = redis.call('HINCRBY', record, 'deliveries', 1)
    local version = redis.call('HINCRBY', record, 'version', 1)
    redis.call('HSET', record, 'leased_until', until_ms)
    redis.call('ZREM', waiting, member)
    redis.call('ZADD', held, until_ms, member)
    local content = redis.call('HMGET', record, 'document', 'payload')
    local at = #taken
    taken[at + 1], taken[at + 2], taken[at + 3] = member, score, version
    taken[at + 4], taken[at + 5], taken[at + 6] = content[1], content[2], delivery
    told[#told + 1] = cjson.encode(member) .. ':' .. delivery
  end
end

if #told > 0 then
  local length = redis.call('LPUSH', log, ARGV[8] .. '{' .. table.concat(told, ',') .. '}' .. ARGV[9])
  if length > tonumber(ARGV[7]) then redis.call('LTRIM', log, 0, ARGV[6] - 1) end
end
taken[#taken + 1] = until_ms
return taken
