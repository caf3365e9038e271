-- The end of an event: a commit adds it to the body that EventWriter.Body makes.
local function event_stamp(unix_ms)
  return string.format(',"timestamp":%.0f,"timestamp_ms":%.0f}', math.floor(unix_ms / 1000), unix_ms)
end
