-- @include task_places
-- Tasks left queues of one agent in one band: plans the turns that are left.
--
-- heads: by module, the earliest due time that is left in its queue, or false
-- served: the agent was served now; nil: it was not
-- channel: on which what a queue has due soon is published for processes with waiting takers, now that nothing due hides it; nil: it is not
local HORIZON_MS = 3000
local function plan_leaving(agent, band, heads, served, channel)
  local name, low = band .. ':' .. agent, band * BAND_WIDTH
  local last_served = served or served_at(band, agent)
  local of_agent = prefix .. 'ready:agent:' .. agent
  local earliest, changed = nil, 0
  for module, head in pairs(heads) do
    changed = changed + 1
    if head then
      plan_zadd(of_agent, low + head, band .. ':' .. module)
      plan_zadd(prefix .. 'ready:module:' .. module, low + math.max(head, last_served), name)
      if not earliest or head < earliest then earliest = head end
      if channel and head > now and head <= now + HORIZON_MS then publish(channel, text(head) .. ' ' .. agent .. ':' .. module) end
    else
      plan_zrem(of_agent, band .. ':' .. module)
      plan_zrem(prefix .. 'ready:module:' .. module, name)
    end
  end
  local others = redis.call('ZRANGEBYSCORE', of_agent, low, low + BAND_WIDTH - 1, 'WITHSCORES', 'LIMIT', 0, changed + 1)
  for i = 1, #others, 2 do
    if heads[string.sub(others[i], 3)] == nil then
      local head = others[i + 1] - low
      if not earliest or head < earliest then earliest = head end
      break
    end
  end
  if earliest then
    plan_zadd(prefix .. 'ready', low + math.max(earliest, last_served), name)
  else
    plan_zrem(prefix .. 'ready', name)
  end
  if served then plan_zadd(prefix .. 'served', served, name) end
end
