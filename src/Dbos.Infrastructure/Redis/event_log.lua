-- @include args
-- @include event_stamp
-- Audit events, counters and messages of a script that writes. A script collects them while it plans, and ends with
-- "return finish(answers)", which writes them last. They must not fail a commit that is done, so an error here is not
-- raised but returned: the last element of the answer is the first such error, or ''.
--
-- ARGV  1 most events that the partition keeps   2 operation id
local event_cap, operation = next_arg(), next_arg()
local BUCKET_MS, BUCKET_KEPT_SECONDS = 10000, 180
local events, counts, messages = {}, {}, {}

-- A string as it stands within the quotes of JSON.
local function json_text(value)
  if string.find(value, '[%c"\\]') then return string.sub(cjson.encode(value), 2, -2) end
  return value
end

-- body: the event as JSON without its id, its time and its closing brace
local function log_event(body)
  events[#events + 1] = body
end

local function count(name, amount)
  counts[name] = (counts[name] or 0) + amount
end

local function publish(channel, message)
  messages[#messages + 1] = {channel, message}
end

local function finish(answers)
  local failure = ''
  local function check(answer)
    if failure == '' and type(answer) == 'table' and answer.err then failure = answer.err end
    return answer
  end
  -- Many scripts write no event: then its time is not formatted either.
  local stamp = events[1] and event_stamp(now)
  local log = prefix .. 'events'
  for i = 1, #events do
    check(redis.pcall('XADD', log, 'MAXLEN', '~', event_cap, '*', 'event', events[i] .. stamp))
  end
  for name, amount in pairs(counts) do
    check(redis.pcall('HINCRBY', prefix .. 'counts', name, amount))
    local bucket = prefix .. 'counts:' .. text(math.floor(now / BUCKET_MS))
    if check(redis.pcall('HINCRBY', bucket, name, amount)) == amount then
      check(redis.pcall('EXPIRE', bucket, BUCKET_KEPT_SECONDS))
    end
  end
  for i = 1, #messages do check(redis.pcall('PUBLISH', messages[i][1], messages[i][2])) end
  answers[#answers + 1] = failure
  return answers
end
