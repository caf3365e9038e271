-- Entries of an index behind a cursor, by score and then by the bytes of the member. The cursor's own entry need not be there any
-- more: its place is then looked for among those of its score by halves.
--
-- KEYS  1 index
-- ARGV  1 1: lowest first, 0: highest first    2 score and 3 member of the cursor    4 last score, '-inf' or '+inf': all
--       5 most entries
--
-- Answers member and score of each, in a row.

local up, score, member, most = ARGV[1] == '1', ARGV[2], ARGV[3], tonumber(ARGV[5])

-- Lua compares as the server's locale does.
local function precedes(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then return l < r end
  end
  return #left < #right
end

local function at(rank)
  if up then return redis.call('ZRANGE', KEYS[1], rank, rank)[1] end
  return redis.call('ZREVRANGE', KEYS[1], rank, rank)[1]
end

local function place()
  local found = redis.call('ZSCORE', KEYS[1], member)
  if found and tonumber(found) == tonumber(score) then
    return 1 + (up and redis.call('ZRANK', KEYS[1], member) or redis.call('ZREVRANK', KEYS[1], member))
  end
  local low, high
  if up then
    low, high = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. score), redis.call('ZCOUNT', KEYS[1], '-inf', score)
  else
    low, high = redis.call('ZCOUNT', KEYS[1], '(' .. score, '+inf'), redis.call('ZCOUNT', KEYS[1], score, '+inf')
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local other = at(middle)
    local is_behind
    if up then is_behind = precedes(member, other) else is_behind = precedes(other, member) end
    if is_behind then high = middle else low = middle + 1 end
  end
  return low
end

local first = place()
local stop
if up then stop = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[4]) else stop = redis.call('ZCOUNT', KEYS[1], ARGV[4], '+inf') end
local last = math.min(first + most, stop) - 1
if last < first then return {} end
if up then return redis.call('ZRANGE', KEYS[1], first, last, 'WITHSCORES') end
return redis.call('ZREVRANGE', KEYS[1], first, last, 'WITHSCORES')
