-- The turns of a lane, for the scripts that change one. turns: keys with one member for each band of a lane.
-- A turn's score is when the band's earliest member is due or, if that is later, when it was last taken from.
-- Whoever waits for a turn is told when one comes that was not there, or not due.
--
-- q: {index, turns = {..}, low, high = the band's bounds, turn = its member in the turns, channel, now, horizon}

local function head(q)
  local first = redis.call('ZRANGEBYSCORE', q.index, q.low, '(' .. q.high, 'WITHSCORES', 'LIMIT', 0, 1)
  return first[2] and tonumber(first[2])
end

local function come(q, score, was)
  local text = string.format('%.0f', score)
  for _, turns in ipairs(q.turns) do redis.call('ZADD', turns, text, q.turn) end
  local now = q.low + q.now
  if score <= now + q.horizon and (not was or was > now or score > now) then
    redis.call('PUBLISH', q.channel, string.format('%.0f ', score - q.low) .. string.sub(q.turn, 2))
  end
end

local function gone(q)
  for _, turns in ipairs(q.turns) do redis.call('ZREM', turns, q.turn) end
end

local function turn(q)
  local score = redis.call('ZSCORE', q.turns[1], q.turn)
  return score and tonumber(score)
end

local function enter(q, member, score)
  local first = head(q)
  redis.call('ZADD', q.index, string.format('%.0f', score), member)
  if first and score >= first then return end
  local was = turn(q)
  if was and first and was ~= first then return end
  come(q, score, was)
end

local function leave(q, member)
  redis.call('ZREM', q.index, member)
  local first = head(q)
  if not first then return gone(q) end
  local was = turn(q)
  come(q, math.max(first, was or first), was)
end

local function serve(q)
  local first = head(q)
  if not first then return gone(q) end
  local now = q.low + q.now
  come(q, math.max(first, now), now)
end
