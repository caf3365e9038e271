-- The turns of a lane, for the scripts that change one. turns: keys with one member for each band of a lane.
-- A turn's score is when the band's earliest member is due or, if that is later, when it was last taken from.
-- Whoever waits for a turn is told when one comes that was not there, or not due.
--
-- lane: {index, turns = {..}, low, high = the band's bounds, turn = its member in the turns, channel, now, horizon}

local function head(lane)
  local first = redis.call('ZRANGEBYSCORE', lane.index, lane.low, '(' .. lane.high, 'WITHSCORES', 'LIMIT', 0, 1)
  return first[2] and tonumber(first[2])
end

local function come(lane, score, was)
  local text = string.format('%.0f', score)
  for _, turns in ipairs(lane.turns) do redis.call('ZADD', turns, text, lane.turn) end
  local now = lane.low + lane.now
  if score <= now + lane.horizon and (not was or was > now or score > now) then
    redis.call('PUBLISH', lane.channel, string.format('%.0f ', score - lane.low) .. string.sub(lane.turn, 2))
  end
end

local function gone(lane)
  for _, turns in ipairs(lane.turns) do redis.call('ZREM', turns, lane.turn) end
end

local function turn(lane)
  local score = redis.call('ZSCORE', lane.turns[1], lane.turn)
  return score and tonumber(score)
end

local function enter(lane, member, score)
  local first = head(lane)
  redis.call('ZADD', lane.index, string.format('%.0f', score), member)
  if first and score >= first then return end
  local was = turn(lane)
  if was and first and was ~= first then return end
  come(lane, score, was)
end

local function leave(lane, member)
  redis.call('ZREM', lane.index, member)
  local first = head(lane)
  if not first then return gone(lane) end
  local was = turn(lane)
  come(lane, math.max(first, was or first), was)
end

local function serve(lane)
  local first = head(lane)
  if not first then return gone(lane) end
  local now = lane.low + lane.now
  come(lane, math.max(first, now), now)
end
