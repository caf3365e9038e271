-- @include agent_queues
-- Leases tasks that are due, as agent_queues.lua says who gets what next.
--
-- ARGV  as event_log.lua, then: 1: of one agent, 1: of one module; that agent and module, percent-encoded; due by, Unix ms, '' now; how many tasks; lease in ms; bytes of documents and payloads; 1: the first is taken
--       whatever its size; holder, '-' none; head and tail of the event; 1: answer what is due next
--
-- Answers the score of what is due next after this, as peek_tasks.lua ('' nothing is, or nobody asked), then for each task: state,
-- fixed, payload, errors.
local has_agent, has_module, wanted_agent, wanted_module = next_arg() == '1', next_arg() == '1', next_arg(), next_arg()
local due_by, limit, lease, bytes, takes_first = next_arg(), next_number(), next_number(), next_number(), next_arg() == '1'
local holder, head, tail, wants_next = next_arg(), next_arg(), next_arg(), next_arg() == '1'
local MOST_LOOKS_IN_VAIN = 10
local due = due_by == '' and now or math.min(now, tonumber(due_by))
local expires_at = text(now + lease)
local deliveries = tonumber(redis.call('GET', prefix .. 'deliveries') or 0)
local answers, tokens, is_full = {''}, {}, false
-- By band and agent: the modules whose queues were looked into.
local served = {}

-- Plans the delivery of one task. Answers false where there is no room for it.
local function deliver(queue, band, id)
  local task = load_task(id)
  if not task or task.status ~= 'pending' then
    -- An entry without its record, or of a task that is not pending, is of no use to anybody.
    plan_zrem(queue_key(queue), id)
    return true
  end
  bytes = bytes - task.size
  if bytes < 0 and not takes_first then
    is_full = true
    return false
  end
  takes_first = false
  plan_zrem(queue_key(queue), id)
  plan_move(task, 'pending', 'inflight', expires_at)
  deliveries = deliveries + 1
  task.status, task.token, task.visible_at, task.holder = 'inflight', text(deliveries), expires_at, holder
  task.deliveries = text(task.deliveries + 1)
  plan_state(task)
  local at = #answers
  answers[at + 1], answers[at + 2] = pack_state(task), task.fixed
  answers[at + 3], answers[at + 4] = redis.call('HGET', task_key(id), 'payload'), task.errors or ''
  tokens[#tokens + 1] = cjson.encode(id) .. ':' .. task.token
  return true
end

-- Puts a queue where its earliest due time belongs.
local function insert_queue(queues, queue)
  local at = #queues + 1
  while at > 1 and queues[at - 1].head > queue.head do at = at - 1 end
  table.insert(queues, at, queue)
end

-- The first n due tasks of an agent lie in its first n queues, by their earliest due times: looks that many up.
local function fetch_queues(known, needed)
  local band = known.band
  if has_module then
    local head = known.fetched == 0 and head_of(queue_key(known.agent .. ':' .. wanted_module), band)
    known.fetched = math.huge
    if head and head <= due then known.queues[1] = {module = wanted_module, head = head, skip = 0} end
  elseif known.fetched < needed then
    local entries = redis.call('ZRANGEBYSCORE', prefix .. 'ready:agent:' .. known.agent, banded(band, 0), banded(band, due), 'WITHSCORES',
      'LIMIT', known.fetched, needed - known.fetched)
    for i = 1, #entries, 2 do
      insert_queue(known.queues, {module = string.sub(entries[i], 3), head = entries[i + 1] - band * BAND_WIDTH, skip = 0})
    end
    known.fetched = needed
  end
end

-- Takes up to so many tasks of an agent in a band, the longest due first over all its queues. Answers how many are left to take.
local function take_of_agent(agent, band, most)
  local name = band .. ':' .. agent
  local known = served[name]
  if not known then
    known = {agent = agent, band = band, queues = {}, fetched = 0, taken = 0, heads = {}}
    served[name] = known
  end
  fetch_queues(known, known.taken + most)
  while most > 0 and #known.queues > 0 and not is_full do
    local first, second = known.queues[1], known.queues[2]
    local queue = agent .. ':' .. first.module
    local up_to = second and math.min(due, second.head) or due
    local ids = redis.call('ZRANGEBYSCORE', queue_key(queue), banded(band, 0), banded(band, up_to), 'LIMIT', first.skip, most)
    for _, id in ipairs(ids) do
      if not deliver(queue, band, id) then break end
      first.skip, known.taken, most = first.skip + 1, known.taken + 1, most - 1
    end
    local head = head_of(queue_key(queue), band, first.skip)
    known.heads[first.module] = head or false
    table.remove(known.queues, 1)
    if head and head <= due then
      first.head = head
      insert_queue(known.queues, first)
    end
  end
  return most
end

local function left() return limit - #tokens end

-- Agents take turns: each gets its share of what is wanted, and once more while there is something left.
local function take_by_turns(agents, band)
  while #agents > 0 and left() > 0 and not is_full do
    local more = {}
    for i, agent in ipairs(agents) do
      if left() <= 0 or is_full then break end
      if take_of_agent(agent, band, math.ceil(left() / (#agents - i + 1))) == 0 then more[#more + 1] = agent end
    end
    agents = more
  end
end

local function take_of_all(key)
  local band, skip, in_vain = 0, 0, 0
  while left() > 0 and not is_full and in_vain < MOST_LOOKS_IN_VAIN do
    local most = left()
    local entries = redis.call('ZRANGEBYSCORE', key, banded(band, 0), '+inf', 'WITHSCORES', 'LIMIT', skip, most)
    if #entries == 0 then return end
    local first_band = math.floor(entries[2] / BAND_WIDTH)
    local agents = {}
    for i = 1, #entries, 2 do
      local score = tonumber(entries[i + 1])
      if score > first_band * BAND_WIDTH + now then break end
      agents[#agents + 1] = string.sub(entries[i], 3)
    end
    local before = #tokens
    take_by_turns(agents, first_band)
    in_vain = #tokens == before and in_vain + 1 or 0
    -- While more agents have a turn in this band they come next; else the next band does.
    if #agents == most then
      band, skip = first_band, (first_band == band and skip or 0) + most
    else
      band, skip = first_band + 1, 0
    end
  end
end

local function take_of_one(agent, key)
  local band = 0
  while left() > 0 and not is_full do
    local first = redis.call('ZRANGEBYSCORE', key, banded(band, 0), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not first then return end
    band = math.floor(first / BAND_WIDTH)
    while left() > 0 and not is_full and take_of_agent(agent, band, left()) == 0 do end
    band = band + 1
  end
end

local source = prefix .. 'ready'
if has_agent and has_module then
  source = queue_key(wanted_agent .. ':' .. wanted_module)
elseif has_agent then
  source = source .. ':agent:' .. wanted_agent
elseif has_module then
  source = source .. ':module:' .. wanted_module
end
if has_agent then take_of_one(wanted_agent, source) else take_of_all(source) end

local agents = {}
for _, known in pairs(served) do
  if next(known.heads) ~= nil then
    plan_leaving(known.agent, known.band, known.heads, now)
    agents[known.agent] = true
  end
end
if #tokens > 0 then
  local names = {}
  for agent in pairs(agents) do
    if agent ~= '' then names[#names + 1] = cjson.encode(decoded(agent)) end
  end
  table.sort(names)
  plan('SET', prefix .. 'deliveries', text(deliveries))
  plan('ZREMRANGEBYSCORE', prefix .. 'served', '-inf', text(now - SERVED_KEPT_MS))
  log_event(head .. '"lease_tokens":{' .. table.concat(tokens, ',') .. '},"agents":[' .. table.concat(names, ',') .. ']' .. tail)
  count('delivered', #tokens)
end
commit()
if wants_next then answers[1] = next_due(source) or '' end
return finish(answers)
