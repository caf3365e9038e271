-- @include event_log
-- @include result_record
-- Gives the earliest imported results their places in the streams.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, then: how many at most
--
-- Answers how many are left.

-- The place behind the last entry of both streams, and not before these milliseconds and this number.
local function next_place(all, own, ms, number)
  for _, stream in ipairs({all, own}) do
    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    if last then
      local last_ms, last_number = last[1]:match('(%d+)-(%d+)')
      last_ms, last_number = tonumber(last_ms), tonumber(last_number)
      if last_ms > ms or (last_ms == ms and last_number >= number) then ms, number = last_ms, last_number + 1 end
    end
  end
  return text(ms) .. '-' .. text(number)
end

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
