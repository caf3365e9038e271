-- @include task_record
-- Removes completed and cancelled tasks that were kept for long enough. Counted, not logged.
--
-- ARGV  as event_log.lua, then: how many of each status at the most
--
-- Answers one number: how many entries were removed.
local most = next_number()
local purged, removed = 0, 0

for _, status in ipairs({'completed', 'cancelled'}) do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'tasks:' .. status, '-inf', now, 'LIMIT', 0, most)) do
    local task = load_task(string.match(member, '^[^:]*:[^:]*:(.*)$'))
    plan_zrem(prefix .. 'tasks:' .. status, member)
    removed = removed + 1
    -- An entry without its record, or beside it, goes alone.
    if task and task.status == status then
      plan('DEL', task.key)
      purged = purged + 1
    end
  end
end

if purged > 0 then count('purged', purged) end
commit()
return finish({removed})
