-- Takes mails that are due, and those that another node took and left.
-- KEYS: mails by when they are due, the stream of mails taken
-- ARGV: the group, this node, now, how many at most, after how many milliseconds a node has left what it took
-- Answers the ids and mails taken one after the other, and when the next one is due, or ''.
local later, stream = KEYS[1], KEYS[2]
local group, node, now, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
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
    taken[#taken + 1] = {entry[1], entry[2][2]}
  end
end

take(redis.call('XAUTOCLAIM', stream, group, node, ARGV[5], '0-0', 'COUNT', most)[2])
local room = most - #taken
if room > 0 then
  for _, mail in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, room)) do
    redis.call('XADD', stream, '*', 'mail', mail)
    redis.call('ZREM', later, mail)
  end
  local new = redis.call('XREADGROUP', 'GROUP', group, node, 'COUNT', room, 'STREAMS', stream, '>')
  if new then
    take(new[1][2])
  end
end
return {taken, redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')[2] or ''}
