-- @include event_log
-- @include idempotency_mark
-- @include module_state
-- Stores the state that an agent reports, if what is stored allows it: nothing, or a state that it may follow, of the same
-- module, at a version within the given bounds (0: nothing is stored). What only repeats the stored state is not stored again.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua and idempotency_mark.lua (a mark's value without the version)
--       request ('' a module's own life), agent, module: percent-encoded
--       state, states that it may follow: each with a space before and after
--       least and most version
--       timestamp in seconds (0: now), JSON of the rest
--       event up to its version where nothing is stored ('' as the next), where something is, event after its version
--
-- Answers 'done' and the version, or 'mark' and what the mark holds, or 'found' and the record that is there or nil.
local mark = next_mark()
local request, agent, module = next_arg(), next_arg(), next_arg()
local state, allowed = next_arg(), next_arg()
local least, most = next_number(), next_number()
local timestamp, document = next_arg(), next_arg()
local first_event, later_event, event_tail = next_arg(), next_arg(), next_arg()

local key, stored, first = find_state(request, agent, module)
if stored and stored.operation == operation then return finish({'done', text(stored.version)}) end
if mark.found then return finish({'mark', mark.found}) end

local version = stored and stored.version or 0
local may_follow = not stored or (stored.module == module and string.find(allowed, ' ' .. stored.state .. ' ', 1, true))
if may_follow and stored and stored.state == state and (timestamp == '0' or timestamp == stored.timestamp) then
  may_follow = redis.call('GETRANGE', key, stored.document_at - 1, -1) ~= document
end
if version < least or version > most or not may_follow then
  return finish({'found', stored and redis.call('GET', key) or false})
end

version = text(version + 1)
if timestamp == '0' then timestamp = text(math.floor(now / 1000)) end
local changed_at = text(time[1] * 1000000 + time[2])
local value = state_value(version, state, timestamp, changed_at, operation, agent, module, document)
local sets = plan_sets(request, agent, module, changed_at, not stored, first)
local event = (stored or first_event == '') and later_event or first_event
if mark.key then mark.value = version .. ' ' .. mark.value end
log_event(event .. ',"version":' .. version .. event_tail)

redis.call('SET', key, value)
add_to_sets(sets)
set_mark(mark)
return finish({'done', version})
