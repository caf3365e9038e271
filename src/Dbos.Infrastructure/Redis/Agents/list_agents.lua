-- @include args
-- A slice of the agents by id, ascending, with their records. Writes nothing.
--
-- KEYS  as args.lua says
-- ARGV  where to begin as ZRANGEBYLEX takes it · how many ids to look at, 100 at most · bytes of records from which on the slice ends
--       'alive', 'lost' or 'all': alive is whose deadline has not passed
-- Answer  id up to which was looked, '' where that was the last one
--         then of each agent: id, state, hostname, config, learned, changes
local from, most, bytes_left, filter = next_arg(), next_number(), next_number(), next_arg()
local ids = redis.call('ZRANGEBYLEX', prefix .. 'agents', from, '+', 'LIMIT', 0, most)
local deadlines = filter ~= 'all' and #ids > 0 and redis.call('ZMSCORE', prefix .. 'agents:deadlines', unpack(ids))
local answer = {#ids == most and ids[most] or ''}
for i, id in ipairs(ids) do
  local alive = deadlines and tonumber(deadlines[i] or 0) > now
  if not deadlines or alive == (filter == 'alive') then
    local name = string.gsub(string.gsub(id, '%%', '%%25'), ':', '%%3A')
    local record = redis.call('HMGET', prefix .. 'agent:' .. name, 'state', 'hostname', 'config', 'learned', 'changes')
    if record[1] then
      answer[#answer + 1] = id
      for _, field in ipairs(record) do
        answer[#answer + 1] = field
        bytes_left = bytes_left - #field
      end
      if bytes_left <= 0 and i < #ids then
        answer[1] = id
        break
      end
    end
  end
end
return answer
