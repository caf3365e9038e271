-- @include args
-- The latest entries of several sorted sets of states.
--
-- KEYS  as args.lua says
-- ARGV  most entries of each set, highest score ('+inf' any), then the names of at most 100 sets
--
-- Answers for each set its members and scores in a row, highest first.
local most, highest = next_arg(), next_arg()
local entries = {}
for name in next_arg do
  entries[#entries + 1] = redis.call('ZREVRANGEBYSCORE', prefix .. name, highest, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
end
return entries
