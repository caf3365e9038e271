-- @include plan
-- Where tasks are found, by sorted sets of the partition.
--
-- tasks:<status>          one for each status; members "<agent>:<module>:<id>", agent and module percent-encoded. pending: scored
--                         by priority and due time; inflight: by when the lease expires; failed: by when it ended; completed and
--                         cancelled: by when they are removed, and what lies before now counts for nobody
-- queue:<agent>:<module>  the pending tasks of one agent's module; members are ids, scored by priority and due time
-- ready:agent:<agent>     its queues, members "<band>:<module>", scored by priority and the earliest due time
-- ready                   agents with pending tasks, members "<band>:<agent>", scored by priority and turn
-- ready:module:<module>   likewise, of one module alone
-- served                  when each "<band>:<agent>" was served last; entries of a minute ago are dropped
--
-- Who gets what next: the highest priority first; within it agents take turns, whatever number of modules they have; within an
-- agent the longest due first. A turn is the earliest due time or, if that is later, the time at which the agent was served
-- last. So a backlog, or an agent that schedules into the past, delays others by one batch at most.

-- A score holds a band, of which the highest priority is 0, and Unix milliseconds within it.
local BAND_WIDTH = 281474976710656
local PENDING, INFLIGHT = prefix .. 'tasks:pending', prefix .. 'tasks:inflight'

local function queue_key(queue) return prefix .. 'queue:' .. queue end

local function split_queue(queue)
  return string.match(queue, '^([^:]*):(.*)$')
end

-- The earliest due time in a band after the first "skip" entries; nil: there is none.
local function head_of(key, band, skip)
  local low = band * BAND_WIDTH
  local first = redis.call('ZRANGEBYSCORE', key, low, low + BAND_WIDTH - 1, 'WITHSCORES', 'LIMIT', skip or 0, 1)[2]
  return first and first - low
end

local function served_at(band, agent)
  return tonumber(redis.call('ZSCORE', prefix .. 'served', band .. ':' .. agent) or 0)
end
