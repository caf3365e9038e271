-- @include event_log
-- @include result_record
-- Gives the earliest imported results their places in the streams.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, then: how many at most
--
-- Answers how many are left.
local most = next_number()
local imported = prefix .. 'results:imported:'
local entries = redis.call('ZRANGE', imported, 0, most - 1, 'WITHSCORES')
for i = 1, #entries, 2 do
  local agent, id = entries[i]:match('^(.-):(.*)$')
  local all, own = prefix .. 'results', prefix .. 'results:' .. agent
  local place = next_place(all, own, math.floor(entries[i + 1] / 1000), entries[i + 1] % 1000)
  redis.call('XADD', all, place, agent, id)
  redis.call('XADD', own, place, 'id', id)
  redis.call('ZREM', imported, entries[i])
end
return finish({redis.call('ZCARD', imported)})
