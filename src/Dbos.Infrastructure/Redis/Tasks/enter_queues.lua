-- @include task_places
-- Tasks become pending. plan_pending() is called for each, then plan_turns() once for the queues of all of them.
local HORIZON_MS = 3000
local entering = {}

local function plan_pending(id, queue, band, due)
  local score = band * BAND_WIDTH + due
  plan_zadd(PENDING, score, queue .. ':' .. id)
  plan_zadd(queue_key(queue), score, id)
  local name = band .. ':' .. queue
  local known = entering[name]
  if not known then
    entering[name] = {queue = queue, band = band, due = due}
  elseif due < known.due then
    known.due = due
  end
end

-- channel: where processes with waiting takers learn that a queue has a task due soon
local function plan_turns(channel)
  local agents = {}
  for _, entered in pairs(entering) do
    local queue, band, due = entered.queue, entered.band, entered.due
    local head = head_of(queue_key(queue), band)
    if not head or due < head then
      local agent, module = split_queue(queue)
      local name = band .. ':' .. agent
      local known = agents[name]
      if not known then
        known = {agent = agent, band = band, due = due, served = served_at(band, agent)}
        agents[name] = known
      end
      known.due = math.min(known.due, due)
      plan_zadd(prefix .. 'ready:agent:' .. agent, band * BAND_WIDTH + due, band .. ':' .. module)
      plan_zadd(prefix .. 'ready:module:' .. module, band * BAND_WIDTH + math.max(due, known.served), name)
      if due <= now + HORIZON_MS then publish(channel, text(due) .. ' ' .. queue) end
    end
  end
  for name, known in pairs(agents) do
    local head = head_of(prefix .. 'ready:agent:' .. known.agent, known.band)
    if not head or known.due < head then
      plan_zadd(prefix .. 'ready', known.band * BAND_WIDTH + math.max(known.due, known.served), name)
    end
  end
end
