-- @include args
-- The mark of a command whose caller named an idempotency key. It is set in the commit of the command.
--
-- ARGV  mark's name ('' none), its value
--
-- next_mark() reads both; its field "found" is the value of the first call, or false.
local MARK_SECONDS = 86400

local function next_mark()
  local name, value = next_arg(), next_arg()
  if name == '' then return {found = false} end
  local key = prefix .. name
  return {key = key, value = value, found = redis.call('GET', key)}
end

local function set_mark(mark)
  if mark.key then redis.call('SET', mark.key, mark.value, 'EX', MARK_SECONDS) end
end
