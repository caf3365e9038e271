-- What every script begins with.
--
-- KEYS  1 prefix of all keys of the partition: a script builds its keys from it
--       2 a key that never exists. With it Redis Cluster refuses the whole script while the slot is on the move
--         (TRYAGAIN); without it a script could run half on one node (docs/decisions/0016-redis-cluster.md).
-- ARGV  read one after the other by next_arg()
local prefix = KEYS[1]
local args_read = 0

local function next_arg()
  args_read = args_read + 1
  return ARGV[args_read]
end

local function next_number()
  return tonumber(next_arg())
end

-- Unix milliseconds by this server's clock.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A number as Redis and C# read it: without exponent or fraction.
local function text(number)
  return string.format('%.0f', number)
end
