-- @include args
-- Where module states lie, by percent-encoded ids. Each record is a string:
--
--   <version> <state> <timestamp> <changed at, in µs> <id of the operation that wrote it>
--   <agent>
--   <module>
--   <JSON of what no script compares; may be empty>
--
-- Records
--   state:<request>              of the agent that reported the request first; most requests have no other
--   state:<request>:<agent>      of each further agent
--   life:<agent>:<module>        of a module itself
-- Sorted sets, scored by when the state changed
--   states:both:<agent>:<module> its requests; '' is the module's own life
--   states:module:<module>       <agent>:<request>
--   states:request:<request>     its agents, once there are two
-- Sorted sets without scores
--   states:agent:<agent>         the agent's modules
--   states:modules               all modules

-- More than the lines before the JSON can be: two ids of 256 characters, each at most three bytes or percent-encoded.
local HEAD_BYTES = 2048

local function read_state(key)
  local value = redis.call('GETRANGE', key, 0, HEAD_BYTES)
  if value == '' then return nil end
  local version, state, timestamp, changed_at, operation, agent, module, document_at =
    string.match(value, '^(%d+) (%a+) (%d+) (%d+) (%x+)\n([^\n]*)\n([^\n]*)\n()')
  if not version then error(key .. ' is no module state') end
  return {
    version = tonumber(version), state = state, timestamp = timestamp, changed_at = changed_at, operation = operation,
    agent = agent, module = module, document_at = document_at,
  }
end

-- Answers the record's key, what is stored there or nil, and, for a further agent of a request, the first agent's record.
local function find_state(request, agent, module)
  if request == '' then
    local key = prefix .. 'life:' .. agent .. ':' .. module
    return key, read_state(key)
  end
  local key = prefix .. 'state:' .. request
  local first = read_state(key)
  if not first or first.agent == agent then return key, first end
  key = key .. ':' .. agent
  return key, read_state(key), first
end

-- Checks the types of all sets that the record belongs to, and answers the calls that put it there.
local function plan_sets(request, agent, module, changed_at, is_new, first)
  local calls = {}
  local function plan(name, score, member, only_if_absent)
    local present = redis.call('ZSCORE', prefix .. name, member)
    if not (present and only_if_absent) then calls[#calls + 1] = {prefix .. name, score, member} end
    return present
  end
  plan('states:both:' .. agent .. ':' .. module, changed_at, request)
  plan('states:module:' .. module, changed_at, agent .. ':' .. request)
  if is_new then
    plan('states:agent:' .. agent, 0, module, true)
    plan('states:modules', 0, module, true)
  end
  if request ~= '' then
    local name = 'states:request:' .. request
    if first then
      plan(name, first.changed_at, first.agent, true)
      plan(name, changed_at, agent)
    elseif redis.call('ZSCORE', prefix .. name, agent) then
      plan(name, changed_at, agent)
    end
  end
  return calls
end

local function add_to_sets(calls)
  for _, call in ipairs(calls) do redis.call('ZADD', call[1], call[2], call[3]) end
end

local function state_value(version, state, timestamp, changed_at, written_by, agent, module, document)
  return table.concat({version, state, timestamp, changed_at, written_by}, ' ') .. '\n' .. agent .. '\n' .. module .. '\n' .. document
end
