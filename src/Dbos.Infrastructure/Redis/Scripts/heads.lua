-- The first entries of bands of indexes.
--
-- KEYS  for each band: its index
-- ARGV  1 most entries of each    then for each band: lowest and highest score
--
-- Answers for each band its entries, lowest first: member and score of each, in a row.

local heads = {}
for i, index in ipairs(KEYS) do
  heads[i] = redis.call('ZRANGEBYSCORE', index, ARGV[2 * i], ARGV[2 * i + 1], 'WITHSCORES', 'LIMIT', 0, ARGV[1])
end
return heads
