-- @include task_places
-- @include idempotency_mark
-- The record of a task: task:<id>, a hash.
--
-- state    one line of words: the few fields that transitions change, then those that scripts compare (STATE)
-- fixed    JSON, written once. Begins with the members of an event's metadata that name the task.
-- payload  bytes, written once
-- errors   JSON: last_error, dead_letter_reason, history. Absent until a delivery failed or the task was cancelled.
--
-- schedule_tasks, take_tasks and ack_tasks, by far the most frequent, read and write "state" by patterns of their own.
local STATE = '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$'
local MOST_HISTORY = 20
local loaded = {}

-- The task as it will be when what is planned so far is written; nil: there is none.
local function load_task(id)
  local task = loaded[id]
  if task == nil then
    local key = prefix .. 'task:' .. id
    local fields = redis.call('HMGET', key, 'state', 'fixed', 'errors')
    task = false
    if fields[1] then
      task = {id = id, key = key, fixed = fields[2], errors = fields[3]}
      task.status, task.token, task.deliveries, task.visible_at, task.failures, task.expiries, task.ended_at, task.holder,
        task.operation, task.size, task.subject_length, task.queue, task.band, task.max_retries, task.max_expiries,
        task.scheduled_at = string.match(fields[1], STATE)
    end
    loaded[id] = task
  end
  return task or nil
end

local function state_of(task)
  return table.concat({
    task.status, task.token, task.deliveries, task.visible_at, task.failures, task.expiries, task.ended_at, task.holder,
    task.operation, task.size, task.subject_length, task.queue, task.band, task.max_retries, task.max_expiries,
    task.scheduled_at}, ' ')
end

local function plan_state(task)
  task.operation = operation
  plan('HSET', task.key, 'state', state_of(task))
end

local function decoded_errors(task)
  return task.errors and cjson.decode(task.errors) or {}
end

local function plan_errors(task, errors)
  plan('HSET', task.key, 'errors', cjson.encode(errors))
end

local function plan_mark(mark)
  if mark.key then plan('SET', mark.key, mark.value, 'EX', MARK_SECONDS) end
end

-- What is needed of a task that stays as it is, for the aggregate to say why.
local function found(task)
  return {'found', state_of(task), task.fixed, task.errors or ''}
end

local function member_of(task)
  return task.queue .. ':' .. task.id
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
  log_event('{"type":"' .. type .. '","message":"task ' .. string.sub(cjson.encode(task.id), 2, -2) .. ' ' .. what
    .. '","metadata":{' .. string.sub(task.fixed, 2, 1 + task.subject_length) .. ',"lease_token":"' .. task.token .. '"'
    .. more .. tail)
end

local function metadata(name, value)
  return ',"' .. name .. '":' .. cjson.encode(value)
end
