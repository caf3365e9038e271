-- @include next_due
-- What is due next in this partition, for takers that choose among partitions. Writes nothing.
--
-- ARGV  two empty ones, which event_log.lua reads; name of a set of task_places.lua that is scored by band and time
--
-- Answers the score of its first entry that is due, '' nothing is.
return next_due(prefix .. next_arg()) or ''
