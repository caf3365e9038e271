-- @include args
-- How results lie in a partition. Ids and agents' ids are percent-encoded here.
--
-- result:<id>            a result (string): that of the agent who stored first under the id, so there is one as long as
--                        there is any of the id
-- result:<id>:<agent>    that of each further agent
-- results:others:<id>    (sorted set, scores 0) the further agents
-- results                (stream) every result in the order of storing: the agent's id is the field, the result's id the value
-- results:<agent>        (stream) the agent's, under the same places
--
-- A value: length of the agent's id (2 bytes), the agent's id, operation that stored it (16 bytes), hash of the data
-- (16 bytes), then what ResultValue.cs writes.
local OPERATION_BYTES, HASH_BYTES = 16, 16

local function value_head(agent)
  return string.char(math.floor(#agent / 256), #agent % 256) .. agent
end

-- Answers the key, the value's bytes up to the hash ('' where there is no result), and whether another agent was first.
local function find_result(id, agent)
  local head = value_head(agent)
  local last = #head + OPERATION_BYTES + HASH_BYTES - 1
  local key = prefix .. 'result:' .. id
  local found = redis.call('GETRANGE', key, 0, last)
  if found == '' or found:sub(1, #head) == head then return key, found, false end
  key = key .. ':' .. agent
  return key, redis.call('GETRANGE', key, 0, last), true
end
