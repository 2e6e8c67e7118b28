-- A queue in a stream, whose consumer group remembers who took what. This is the beginning of scripts that take from one.

-- Takes at most so many: first what another node took and left, then new ones, once `refill` was told how many there is room for.
-- Answers their ids in the stream, each with what it is the id of.
local function take(stream, group, node, most, left, refill)
  -- It is there already but for the first time.
  redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  -- Nodes that ended long ago are forgotten.
  for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local name, pending, idle = one[2], one[4], one[6]
    if pending == 0 and idle > 3600000 and name ~= node then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, name)
    end
  end
  local taken = {}

  local function add(entries)
    for _, entry in ipairs(entries) do
      taken[#taken + 1] = {entry[1], entry[2][2]}
    end
  end

  add(redis.call('XAUTOCLAIM', stream, group, node, left, '0-0', 'COUNT', most)[2])
  local room = most - #taken
  if room > 0 then
    refill(room)
    local new = redis.call('XREADGROUP', 'GROUP', group, node, 'COUNT', room, 'STREAMS', stream, '>')
    if new then
      add(new[1][2])
    end
  end
  return taken
end
