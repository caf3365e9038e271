-- @include event_log
-- The writes of a script as a list of finished commands. A script plans all of them for all of its items, and commit() then
-- runs them one after the other without computing anything, so that no error can stop it half way. What makes a command fail
-- (a key of another type) is found while planning: each key is read by a command of its type first.
local planned, open_commands = {}, {}

local function plan(...)
  planned[#planned + 1] = {...}
end

-- The planned command on this key, to which further arguments are appended: one ZADD or ZREM for all members of a sorted set.
local function command_on(name, key)
  local command = open_commands[name .. key]
  if not command then
    redis.call('ZCARD', key)
    command = {name, key}
    open_commands[name .. key] = command
    planned[#planned + 1] = command
  end
  return command
end

local function plan_zadd(key, score, member)
  local command = command_on('ZADD', key)
  command[#command + 1] = score
  command[#command + 1] = member
end

local function plan_zrem(key, member)
  local command = command_on('ZREM', key)
  command[#command + 1] = member
end

local function commit()
  for i = 1, #planned do redis.call(unpack(planned[i])) end
end
