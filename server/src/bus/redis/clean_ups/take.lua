-- Takes what is to be cleaned up: first what another node took and left.
-- KEYS: the stream
-- ARGV: the group, this node, how many at most, after how many milliseconds a node has left what it took
local stream, group, node, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
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

local function take(entries)
  for _, entry in ipairs(entries) do
    taken[#taken + 1] = entry[2][2]
  end
end

take(redis.call('XAUTOCLAIM', stream, group, node, ARGV[4], '0-0', 'COUNT', most)[2])
if most > #taken then
  local new = redis.call('XREADGROUP', 'GROUP', group, node, 'COUNT', most - #taken, 'STREAMS', stream, '>')
  if new then
    take(new[1][2])
  end
end
return taken
