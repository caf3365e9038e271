-- Where a page of a sorted set begins: the rank of the first entry behind (score, member), by score and then by the bytes of
-- the member. The entry itself need not be there any more.
--
-- is_up: lowest first, else highest first; member '': behind no entry, before all of that score
local function precedes(left, right)
  -- Lua's own comparison goes by the server's locale.
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then return l < r end
  end
  return #left < #right
end

local function rank_behind(key, is_up, score, member)
  local function at(rank)
    return redis.call(is_up and 'ZRANGE' or 'ZREVRANGE', key, rank, rank)[1]
  end
  local stored = redis.call('ZSCORE', key, member)
  if stored and tonumber(stored) == tonumber(score) then
    return 1 + redis.call(is_up and 'ZRANK' or 'ZREVRANK', key, member)
  end
  local low, high
  if is_up then
    low, high = redis.call('ZCOUNT', key, '-inf', '(' .. score), redis.call('ZCOUNT', key, '-inf', score)
  else
    low, high = redis.call('ZCOUNT', key, '(' .. score, '+inf'), redis.call('ZCOUNT', key, score, '+inf')
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local other = at(middle)
    local is_behind
    if is_up then is_behind = precedes(member, other) else is_behind = precedes(other, member) end
    if is_behind then high = middle else low = middle + 1 end
  end
  return low
end
