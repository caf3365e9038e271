-- @include leave_queues
-- @include next_due
-- Leases tasks that are due, as task_places.lua says who gets what next.
--
-- ARGV  as event_log.lua, then: 1: of one agent, 1: of one module; that agent and module, percent-encoded; due by, Unix ms, '' now;
--       how many tasks; lease in ms; bytes of documents and payloads; 1: the first is taken whatever its size; holder, '-' none;
--       head and tail of the event; 1: answer what is due next; channel of what is due
--
-- Answers the score of what is due next after this, as peek_tasks.lua ('' nothing is, or nobody asked), then for each task: state,
-- fixed, payload, errors.
local SERVED_KEPT_MS, MOST_LOOKS_IN_VAIN = 60000, 10
-- Of "state" in task_record.lua: deliveries, failures and expiries, then what is constant, of which size.
local PENDING_STATE = '^pending %S+ (%S+) %S+ (%S+ %S+) %S+ %S+ %S+ ((%S+) .*)$'
local has_agent, has_module, wanted_agent, wanted_module = next_arg() == '1', next_arg() == '1', next_arg(), next_arg()
local due_by, limit, lease, bytes, takes_first = next_arg(), next_number(), next_number(), next_number(), next_arg() == '1'
local holder, head, tail, wants_next, channel = next_arg(), next_arg(), next_arg(), next_arg() == '1', next_arg()
local due = tonumber(due_by) or now
local expires_at = text(now + lease)
local deliveries = tonumber(redis.call('GET', prefix .. 'deliveries') or 0)
local answers, tokens, is_full = {''}, {}, false
local taken, left_pending, entered_inflight = {}, {}, {}
-- By band and agent: what is known of its queues.
local served = {}

-- Plans the delivery of one task. Answers false where there is no room for it.
local function deliver(queue, id)
  local key, member = prefix .. 'task:' .. id, queue .. ':' .. id
  local fields = redis.call('HMGET', key, 'state', 'fixed', 'errors')
  local delivered, counted, constant, size = string.match(fields[1] or '', PENDING_STATE)
  if delivered and bytes < tonumber(size) and not takes_first then
    is_full = true
    return false
  end
  plan_zrem(queue_key(queue), id)
  left_pending[#left_pending + 1] = member
  -- An entry without its record, or of a task that is not pending, is of no use to anybody.
  if not delivered then return true end
  bytes, takes_first = bytes - size, false
  deliveries = deliveries + 1
  local token = text(deliveries)
  local state = 'inflight ' .. token .. ' ' .. delivered + 1 .. ' ' .. expires_at .. ' ' .. counted .. ' 0 ' .. holder .. ' '
    .. operation .. ' ' .. constant
  taken[#taken + 1], taken[#taken + 2] = key, state
  entered_inflight[#entered_inflight + 1], entered_inflight[#entered_inflight + 2] = expires_at, member
  tokens[#tokens + 1] = '"' .. json_text(id) .. '":' .. token
  local at = #answers
  answers[at + 1], answers[at + 2] = state, fields[2]
  answers[at + 3], answers[at + 4] = redis.call('HGET', key, 'payload'), fields[3] or ''
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
  local low = known.band * BAND_WIDTH
  if has_module then
    local first = known.fetched == 0 and head_of(queue_key(known.agent .. ':' .. wanted_module), known.band)
    known.fetched = math.huge
    if first and first <= due then known.queues[1] = {module = wanted_module, head = first, skip = 0} end
  elseif known.fetched < needed then
    local entries = redis.call('ZRANGEBYSCORE', prefix .. 'ready:agent:' .. known.agent, low, low + due, 'WITHSCORES',
      'LIMIT', known.fetched, needed - known.fetched)
    for i = 1, #entries, 2 do
      insert_queue(known.queues, {module = string.sub(entries[i], 3), head = entries[i + 1] - low, skip = 0})
    end
    known.fetched = needed
  end
end

-- Takes up to so many tasks of an agent in a band, the longest due first over all its queues. Answers how many are left to take.
local function take_of_agent(agent, band, most)
  local name, low = band .. ':' .. agent, band * BAND_WIDTH
  local known = served[name]
  if not known then
    known = {agent = agent, band = band, queues = {}, fetched = 0, looked = 0, heads = {}}
    served[name] = known
  end
  fetch_queues(known, known.looked + most)
  while most > 0 and #known.queues > 0 and not is_full do
    local first, second = known.queues[1], known.queues[2]
    local queue = agent .. ':' .. first.module
    local up_to = second and math.min(due, second.head) or due
    -- One more than is wanted shows what the queue has next.
    local entries = redis.call('ZRANGEBYSCORE', queue_key(queue), low, low + BAND_WIDTH - 1, 'WITHSCORES', 'LIMIT', first.skip, most + 1)
    local used = 0
    while used < most and entries[2 * used + 1] and entries[2 * used + 2] - low <= up_to and deliver(queue, entries[2 * used + 1]) do
      used = used + 1
    end
    first.skip, known.looked, most = first.skip + used, known.looked + used, most - used
    local next_score = entries[2 * used + 2]
    first.head = next_score and next_score - low
    known.heads[first.module] = first.head or false
    table.remove(known.queues, 1)
    if first.head and first.head <= due then insert_queue(known.queues, first) end
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
    local entries = redis.call('ZRANGEBYSCORE', key, band * BAND_WIDTH, '+inf', 'WITHSCORES', 'LIMIT', skip, most)
    if #entries == 0 then return end
    local first_band = math.floor(entries[2] / BAND_WIDTH)
    local agents = {}
    for i = 1, #entries, 2 do
      if tonumber(entries[i + 1]) > first_band * BAND_WIDTH + math.max(now, due) then break end
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
    local first = redis.call('ZRANGEBYSCORE', key, band * BAND_WIDTH, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not first then return end
    band = math.floor(first / BAND_WIDTH)
    while left() > 0 and not is_full and take_of_agent(agent, band, left()) == 0 do end
    band = band + 1
  end
end

local function decoded(name)
  return (string.gsub(name, '%%(%x%x)', function(octet) return string.char(tonumber(octet, 16)) end))
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

local names, is_named = {}, {['']= true}
for _, known in pairs(served) do
  if next(known.heads) ~= nil then
    plan_leaving(known.agent, known.band, known.heads, now, channel)
    if known.looked > 0 and not is_named[known.agent] then
      is_named[known.agent] = true
      names[#names + 1] = '"' .. json_text(decoded(known.agent)) .. '"'
    end
  end
end
redis.call('ZCARD', PENDING)
redis.call('ZCARD', INFLIGHT)

if #left_pending > 0 then redis.call('ZREM', PENDING, unpack(left_pending)) end
commit()
if #tokens > 0 then
  for i = 1, #taken, 2 do redis.call('HSET', taken[i], 'state', taken[i + 1]) end
  redis.call('ZADD', INFLIGHT, unpack(entered_inflight))
  redis.call('SET', prefix .. 'deliveries', deliveries)
  redis.call('ZREMRANGEBYSCORE', prefix .. 'served', '-inf', now - SERVED_KEPT_MS)
  log_event(head .. '"lease_tokens":{' .. table.concat(tokens, ',') .. '},"agents":[' .. table.concat(names, ',') .. ']' .. tail)
  count('delivered', #tokens)
end
if wants_next then answers[1] = next_due(source, now) or '' end
return finish(answers)
