-- Whether the member of a task's list passes a filter.
--
-- agent: begin of the members ('' any); module: what follows the agent ('' any)
local function passes(member, agent, module)
  return string.sub(member, 1, #agent) == agent
    and (module == '' or string.sub(member, string.find(member, ':', 1, true), #member):sub(1, #module) == module)
end
