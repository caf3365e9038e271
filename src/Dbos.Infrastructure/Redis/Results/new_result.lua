-- @include event_log
-- @include result_record
-- A result that is to be stored unless the agent has one of its id.
--
-- ARGV  id, agent's id (both percent-encoded), hash of the data (16 bytes) with the rest of the value behind it, event
--
-- next_result() reads these, and what is stored: its field "stored" is '' (nothing), 'own' (by this operation), 'same' or 'other'
-- (with the same, or with other data).
local function next_result()
  local result = {id = next_arg(), agent = next_arg(), content = next_arg(), event = next_arg()}
  local found
  result.key, found, result.is_further = find_result(result.id, result.agent)
  local hash_from = #value_head(result.agent) + OPERATION_BYTES + 1
  if found == '' then
    result.stored = ''
  elseif found:sub(hash_from - OPERATION_BYTES, hash_from - 1) == operation then
    result.stored = 'own'
  else
    result.stored = found:sub(hash_from) == result.content:sub(1, HASH_BYTES) and 'same' or 'other'
  end
  return result
end

-- Reads every key that write_result() writes.
local function plan_result(result)
  result.all, result.of_agent = prefix .. 'results', prefix .. 'results:' .. result.agent
  result.others = result.is_further and prefix .. 'results:others:' .. result.id
  if result.others then redis.call('ZCARD', result.others) end
  redis.call('XLEN', result.of_agent)
  result.value = value_head(result.agent) .. operation .. result.content
  log_event(result.event)
end

-- Begins with a write that needs memory: a new result is refused while Redis is full.
local function write_result(result)
  -- The stream of all results is never behind that of one agent, so its place is free there too.
  local place = redis.call('XADD', result.all, '*', result.agent, result.id)
  redis.call('XADD', result.of_agent, place, 'id', result.id)
  redis.call('SET', result.key, result.value)
  if result.others then redis.call('ZADD', result.others, 0, result.agent) end
end
