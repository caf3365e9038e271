-- @include task_record
-- Who gets what next. Agents take turns within a priority, whatever number of modules they have.
--
-- queue:<agent>:<module>  the pending tasks of one agent's module; members are ids, scored by band and due time
-- ready:agent:<agent>     its queues, members "<band>:<module>", scored by band and the earliest due time
-- ready                   agents with pending tasks, members "<band>:<agent>", scored by band and turn
-- ready:module:<module>   likewise, of one module alone
-- served                  when each "<band>:<agent>" was served last; entries of a minute ago are dropped
--
-- A turn is the earliest due time or, if that is later, the time at which the agent was served last. So a backlog, or an
-- agent that schedules into the past, delays others by one batch at most.
local HORIZON_MS, SERVED_KEPT_MS = 3000, 60000
local entering = {}

local function queue_key(queue) return prefix .. 'queue:' .. queue end

local function split_queue(queue)
  return string.match(queue, '^([^:]*):(.*)$')
end

local function decoded(name)
  return (string.gsub(name, '%%(%x%x)', function(octet) return string.char(tonumber(octet, 16)) end))
end

-- The earliest due time in a band after the first "skip" entries; nil: there is none.
local function head_of(key, band, skip)
  local first = redis.call('ZRANGEBYSCORE', key, banded(band, 0), '(' .. banded(band + 1, 0), 'WITHSCORES', 'LIMIT', skip or 0, 1)
  return first[2] and tonumber(first[2]) - band * BAND_WIDTH
end

local function served_at(band, agent)
  return tonumber(redis.call('ZSCORE', prefix .. 'served', band .. ':' .. agent) or 0)
end

-- The score of the first entry that is due, in "ready" or another set scored by band and time; nil: nothing is due.
local function next_due(key)
  local band = 0
  while true do
    local score = redis.call('ZRANGEBYSCORE', key, banded(band, 0), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not score then return nil end
    band = math.floor(score / BAND_WIDTH)
    if score - band * BAND_WIDTH <= now then return score end
    band = band + 1
  end
end

-- A task becomes pending. Its queue's turn is planned by plan_entering(), once for all tasks of a queue.
local function enter_queue(task)
  local band, due = tonumber(task.band), tonumber(task.visible_at)
  plan_zadd(prefix .. 'tasks:pending', banded(band, due), member_of(task))
  plan_zadd(queue_key(task.queue), banded(band, due), task.id)
  local name = band .. ':' .. task.queue
  local queue = entering[name]
  if not queue then
    entering[name] = {queue = task.queue, band = band, due = due}
  elseif due < queue.due then
    queue.due = due
  end
end

-- channel: on which processes with waiting takers are told that a queue has something due soon
local function plan_entering(channel)
  local agents = {}
  for _, queue in pairs(entering) do
    local head = head_of(queue_key(queue.queue), queue.band)
    if not head or queue.due < head then
      local agent, module = split_queue(queue.queue)
      local name = queue.band .. ':' .. agent
      local known = agents[name]
      if not known then
        known = {agent = agent, band = queue.band, due = queue.due, served = served_at(queue.band, agent)}
        agents[name] = known
      end
      known.due = math.min(known.due, queue.due)
      plan_zadd(prefix .. 'ready:agent:' .. agent, banded(queue.band, queue.due), queue.band .. ':' .. module)
      plan_zadd(prefix .. 'ready:module:' .. module, banded(queue.band, math.max(queue.due, known.served)), name)
      if queue.due <= now + HORIZON_MS then publish(channel, text(queue.due) .. ' ' .. queue.queue) end
    end
  end
  for name, known in pairs(agents) do
    local head = head_of(prefix .. 'ready:agent:' .. known.agent, known.band)
    if not head or known.due < head then
      plan_zadd(prefix .. 'ready', banded(known.band, math.max(known.due, known.served)), name)
    end
  end
end

-- Tasks left queues of one agent in one band.
-- heads: by module, the earliest due time that is left in its queue, or false
-- served: the agent was served now; nil: it was not
local function plan_leaving(agent, band, heads, served)
  local name = band .. ':' .. agent
  local last_served = served or served_at(band, agent)
  local earliest, changed = nil, 0
  for module, head in pairs(heads) do
    changed = changed + 1
    local queue = band .. ':' .. module
    if head then
      plan_zadd(prefix .. 'ready:agent:' .. agent, banded(band, head), queue)
      plan_zadd(prefix .. 'ready:module:' .. module, banded(band, math.max(head, last_served)), name)
      if not earliest or head < earliest then earliest = head end
    else
      plan_zrem(prefix .. 'ready:agent:' .. agent, queue)
      plan_zrem(prefix .. 'ready:module:' .. module, name)
    end
  end
  local others = redis.call('ZRANGEBYSCORE', prefix .. 'ready:agent:' .. agent, banded(band, 0), '(' .. banded(band + 1, 0),
    'WITHSCORES', 'LIMIT', 0, changed + 1)
  for i = 1, #others, 2 do
    local module = string.sub(others[i], 3)
    if heads[module] == nil then
      local head = tonumber(others[i + 1]) - band * BAND_WIDTH
      if not earliest or head < earliest then earliest = head end
      break
    end
  end
  if earliest then
    plan_zadd(prefix .. 'ready', banded(band, math.max(earliest, last_served)), name)
  else
    plan_zrem(prefix .. 'ready', name)
  end
  if served then plan_zadd(prefix .. 'served', text(served), name) end
end

-- A task that is pending leaves its queue, from wherever in it.
local function leave_queue(task)
  local band, agent, module = tonumber(task.band), split_queue(task.queue)
  local key = queue_key(task.queue)
  plan_zrem(key, task.id)
  local first = redis.call('ZRANGEBYSCORE', key, banded(band, 0), '(' .. banded(band + 1, 0), 'LIMIT', 0, 1)[1]
  if first == task.id then plan_leaving(agent, band, {[module] = head_of(key, band, 1) or false}) end
end

-- An inflight task is pending again.
local function return_to_queue(task)
  plan_zrem(prefix .. 'tasks:inflight', member_of(task))
  task.status = 'pending'
  enter_queue(task)
end

-- An inflight task has failed for good. reason: the limit that was exceeded, or why it is not retried
local function dead_letter(task, errors, reason)
  plan_move(task, 'inflight', 'failed', text(now))
  task.status, task.ended_at = 'failed', text(now)
  errors.dead_letter_reason = reason
  count('dead_lettered', 1)
end

-- A delivery that is no failed attempt keeps its place: due when it was scheduled, but not later than now.
local function due_again(task)
  return text(math.min(tonumber(task.scheduled_at), now))
end
