-- KEYS and ARGV one after the other, from where the script starts.

local key, arg = 0, 0

local function next_key()
  key = key + 1
  return KEYS[key]
end

local function next_keys(count)
  local some = {}
  for i = 1, count do some[i] = next_key() end
  return some
end

local function next_arg()
  arg = arg + 1
  return ARGV[arg]
end
