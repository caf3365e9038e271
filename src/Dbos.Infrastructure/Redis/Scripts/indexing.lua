-- Changes of plain indexes, gathered so that each index is written once for all members of a script. Of several
-- changes of one member the last one counts.

local changes = {}

-- score false: the member is taken out
local function place(index, member, score)
  local members = changes[index]
  if not members then
    members = {}
    changes[index] = members
  end
  members[member] = score
end

local function finish_indexing()
  for index, members in pairs(changes) do
    local out, put = {}, {}
    for member, score in pairs(members) do
      if score then
        put[#put + 1] = score
        put[#put + 1] = member
      else
        out[#out + 1] = member
      end
    end
    -- As many at once as Lua's stack surely takes.
    for from = 1, #out, 1000 do redis.call('ZREM', index, unpack(out, from, math.min(from + 999, #out))) end
    for from = 1, #put, 1000 do redis.call('ZADD', index, unpack(put, from, math.min(from + 999, #put))) end
  end
end
