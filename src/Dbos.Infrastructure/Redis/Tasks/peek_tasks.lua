-- @include next_due
-- What is due next in this partition, for takers that choose among partitions. Writes nothing.
--
-- ARGV  two empty ones, which event_log.lua reads; name of a set of task_places.lua that is scored by band and time;
--       due by, Unix ms, '' now
--
-- Answers the score of its first entry that is due, '' nothing is.
local source, due_by = prefix .. next_arg(), next_arg()
return next_due(source, tonumber(due_by) or now) or ''
