-- @include args
-- @include event_log
-- @include idempotency_mark
-- Writes what was decided on an agent, if it is still as it was then.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, those of idempotency_mark.lua, then
--       id · name of its record
--       "version operation" of the write that made what was decided on, '' where no such agent was stored
--       new version · the rest of the new state (RedisAgentRecord.cs)
--       deadline: Unix ms, '' none
--       number of further fields to write, then each one's name and value
--       number of events, then each one's body
-- Answer  done
--         replayed, the mark's value
--         conflict, then what is stored: state (nil: nothing), hostname, config, learned, changes
local mark = next_mark()
local id, name = next_arg(), next_arg()
local expected, version, rest, deadline = next_arg(), next_arg(), next_arg(), next_arg()
local record, all, deadlines = prefix .. name, prefix .. 'agents', prefix .. 'agents:deadlines'

local written = version .. ' ' .. operation
local fields = {'state', written .. ' ' .. rest}
for _ = 1, next_number() do
  fields[#fields + 1] = next_arg()
  fields[#fields + 1] = next_arg()
end
for _ = 1, next_number() do log_event(next_arg()) end

local state = redis.call('HGET', record, 'state')
local due = redis.call('ZSCORE', deadlines, id)
local found = state and string.match(state, '^%d+ %x+') or ''
if found == written then
  -- An earlier trial of this write did it. Its events and its mark are there.
  return {'done', ''}
end
if mark.found then return {'replayed', mark.found, ''} end
if found ~= expected then
  return {'conflict', state, redis.call('HGET', record, 'hostname'), redis.call('HGET', record, 'config'),
    redis.call('HGET', record, 'learned'), redis.call('HGET', record, 'changes'), ''}
end
if expected == '' then redis.call('ZSCORE', all, id) end

redis.call('HSET', record, unpack(fields))
if deadline ~= '' then
  redis.call('ZADD', deadlines, deadline, id)
elseif due then
  redis.call('ZREM', deadlines, id)
end
if expected == '' then redis.call('ZADD', all, 0, id) end
set_mark(mark)
return finish({'done'})
