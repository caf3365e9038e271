-- @include plan
-- @include idempotency_mark
-- The record of a task, and where it is found.
--
-- task:<id>       a hash:
--   state         one line of words: the few fields that transitions change, and those that scripts compare (STATE)
--   fixed         JSON, written once. Begins with the members of an event's metadata that name the task.
--   payload       bytes, written once
--   errors        JSON: last_error, dead_letter_reason, history. Absent until a delivery failed or the task was cancelled.
-- tasks:<status>  a sorted set for each status; members "<agent>:<module>:<id>", agent and module percent-encoded.
--                 pending: scored by priority and due time; inflight: by when the lease expires; failed: by when it ended;
--                 completed and cancelled: by when they are removed. What lies before now counts for nobody.
-- deliveries      how many there were: the last lease token
local STATE = '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$'
local MOST_HISTORY = 20

-- A score holds a band, the highest priority being the first, and Unix milliseconds within it.
local BAND_WIDTH = 281474976710656

local function banded(band, ms)
  return text(band * BAND_WIDTH + ms)
end

local function unpack_state(state)
  local task = {}
  task.status, task.token, task.deliveries, task.visible_at, task.failures, task.expiries, task.ended_at, task.holder,
    task.operation, task.queue, task.band, task.max_retries, task.max_expiries, task.scheduled_at, task.size,
    task.subject_length = string.match(state, STATE)
  return task
end

local function pack_state(task)
  return table.concat({
    task.status, task.token, task.deliveries, task.visible_at, task.failures, task.expiries, task.ended_at, task.holder,
    task.operation, task.queue, task.band, task.max_retries, task.max_expiries, task.scheduled_at, task.size,
    task.subject_length}, ' ')
end

local function task_key(id)
  return prefix .. 'task:' .. id
end

local loaded = {}

-- The task as it will be when what is planned so far is written; nil: there is none.
local function load_task(id)
  local task = loaded[id]
  if task == nil then
    local fields = redis.call('HMGET', task_key(id), 'state', 'fixed', 'errors')
    task = false
    if fields[1] then
      task = unpack_state(fields[1])
      task.id, task.fixed, task.errors = id, fields[2], fields[3]
    end
    loaded[id] = task
  end
  return task or nil
end

local function plan_state(task)
  task.operation = operation
  plan('HSET', task_key(task.id), 'state', pack_state(task))
end

local function plan_errors(task, errors)
  task.errors = cjson.encode(errors)
  plan('HSET', task_key(task.id), 'errors', task.errors)
end

local function decoded_errors(task)
  return task.errors and cjson.decode(task.errors) or {}
end

-- What a caller needs of a task that stays as it is, for the aggregate to say why.
local function found(task)
  return {'found', pack_state(task), task.fixed, task.errors or ''}
end

local function member_of(task)
  return task.queue .. ':' .. task.id
end

local function plan_move(task, from, to, score)
  plan_zrem(prefix .. 'tasks:' .. from, member_of(task))
  if to then plan_zadd(prefix .. 'tasks:' .. to, score, member_of(task)) end
end

-- The stream that holds the delivery, if one does, has room again.
-- channel: the begin of the names of the channels on which processes listen
local function report_end(task, channel)
  if task.holder ~= '-' then
    publish(channel .. task.holder, task.token .. ' ' .. task.id)
    task.holder = '-'
  end
end

-- what: the event's message without "task <id>"; more: further members of its metadata; tail: the end of its body
local function log_task_event(type, task, what, more, tail)
  local name = string.sub(cjson.encode(task.id), 2, -2)
  log_event('{"type":"' .. type .. '","message":"task ' .. name .. ' ' .. what .. '","metadata":{'
    .. string.sub(task.fixed, 2, 1 + task.subject_length) .. ',"lease_token":"' .. task.token .. '"' .. more .. tail)
end

local function metadata(name, value)
  return ',"' .. name .. '":' .. cjson.encode(value)
end

-- A delivery failed: remembered in the history, the oldest of which goes.
local function add_failure(task, kind, error, history_error)
  local errors = decoded_errors(task)
  errors.last_error = error
  errors.history = errors.history or {}
  if #errors.history == MOST_HISTORY then table.remove(errors.history, 1) end
  errors.history[#errors.history + 1] = {
    lease_token = tonumber(task.token), failed_at = math.floor(now / 1000), kind = kind, error = history_error}
  return errors
end

local function plan_mark(mark)
  if mark.key then plan('SET', mark.key, mark.value, 'EX', MARK_SECONDS) end
end
