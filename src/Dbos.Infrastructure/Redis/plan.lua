-- @include event_log
-- The writes of a script as a list of finished commands. A script plans all of them for all of its items, and commit() then
-- runs them one after the other without computing anything, so that no error can stop it half way. What makes a command fail
-- (a key of another type) is found while planning: each key is read by a command of its type first.
local planned, zadds, zrems = {}, {}, {}

local function plan(...)
  planned[#planned + 1] = {...}
end

-- One command for all members of a sorted set, in the place of the first.
local function command_on(commands, name, key)
  local command = commands[key]
  if not command then
    redis.call('ZCARD', key)
    command = {name, key}
    commands[key] = command
    planned[#planned + 1] = command
  end
  return command
end

local function plan_zadd(key, score, member)
  local command = zadds[key] or command_on(zadds, 'ZADD', key)
  local at = #command
  command[at + 1], command[at + 2] = score, member
end

local function plan_zrem(key, member)
  local command = zrems[key] or command_on(zrems, 'ZREM', key)
  command[#command + 1] = member
end

local function commit()
  for i = 1, #planned do redis.call(unpack(planned[i])) end
end
