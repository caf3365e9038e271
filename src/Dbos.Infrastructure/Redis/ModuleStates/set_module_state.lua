-- @include event_log
-- @include idempotency_mark
-- @include reported_state
-- Stores the state that an agent reports, if what is stored allows it. What only repeats the stored state is not stored again.
--
-- KEYS  as args.lua says
-- ARGV  those of event_log.lua, idempotency_mark.lua (a mark's value without the version) and reported_state.lua
--
-- Answers 'done' and the version, or 'mark' and what the mark holds, or 'found' and the record that is there or nil.
local mark = next_mark()
local report = next_report()
local stored = report.stored
if stored and stored.operation == operation then return finish({'done', text(stored.version)}) end
if mark.found then return finish({'mark', mark.found}) end
if not may_follow(report) or is_repeated(report) then return finish({'found', stored_record(report)}) end

local version = plan_report(report)
if mark.key then mark.value = version .. ' ' .. mark.value end
write_report(report)
set_mark(mark)
return finish({'done', version})
