-- @include enter_queues
-- Puts tasks back as they were in another store, with all places where they are found. Nothing is logged or counted.
--
-- ARGV  as event_log.lua, then: the largest lease token so far; how many tasks; then for each: id, state, fixed, payload, errors ('' none),
--       status, queue, band, and the score in the set of its status (pending: due time in ms)
local largest, tasks = next_number(), next_number()

local at = args_read
for _ = 1, tasks do
  local id, errors, status, queue, score = ARGV[at + 1], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7], ARGV[at + 9]
  local key = prefix .. 'task:' .. id
  redis.call('HLEN', key)
  plan('HSET', key, 'state', ARGV[at + 2], 'fixed', ARGV[at + 3], 'payload', ARGV[at + 4])
  if errors ~= '' then plan('HSET', key, 'errors', errors) end
  if status == 'pending' then
    plan_pending(id, queue, tonumber(ARGV[at + 8]), tonumber(score))
  else
    plan_zadd(prefix .. 'tasks:' .. status, score, queue .. ':' .. id)
  end
  at = at + 9
end
plan_turns('')
messages = {}
if largest > tonumber(redis.call('GET', prefix .. 'deliveries') or 0) then plan('SET', prefix .. 'deliveries', largest) end
commit()
return finish({})
