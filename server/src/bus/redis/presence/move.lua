-- Notes who came to a node and who went, and tells it to all nodes. Does no harm when it is done twice.
-- KEYS: leases by when they run out, by user the leases under which they are there and with how many connections ("lease=1 other=2"),
--       by user when they went, those there under this lease
-- ARGV: this lease, the channel, how many came, pairs of those and with how many connections they are there now, then pairs of who
--       went and when
-- Answers {1, those who were nowhere before, those who are nowhere now, for each who came how many connections they have elsewhere};
-- {0} when the lease has run out, and nothing is changed.
local leases, here, gone, under = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lease, channel, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local live = live_leases(leases, clock())
if not live[lease] then
  return {0}
end

-- Whether a live lease is among them, those that are not ours, whether ours is, and how many connections there are under live ones
-- that are not ours.
local function look(user)
  local is_there, others, is_ours, elsewhere = false, {}, false, 0
  for one, connections in string.gmatch(redis.call('HGET', here, user) or '', '(%x+)=(%d+)') do
    if one == lease then
      is_ours = true
    else
      others[#others + 1] = one .. '=' .. connections
      elsewhere = elsewhere + (live[one] and tonumber(connections) or 0)
    end
    is_there = is_there or live[one] == true
  end
  return is_there, others, is_ours, elsewhere
end

local came, went, elsewhere = {}, {}, {}
for i = 4, 3 + 2 * count, 2 do
  local user = ARGV[i]
  local is_there, others, is_ours, connections = look(user)
  elsewhere[#elsewhere + 1] = connections
  others[#others + 1] = lease .. '=' .. ARGV[i + 1]
  redis.call('HSET', here, user, table.concat(others, ' '))
  if not is_ours then
    redis.call('SADD', under, user)
  end
  if not is_there then
    redis.call('HDEL', gone, user)
    redis.call('PUBLISH', channel, '+' .. user)
    came[#came + 1] = user
  end
end
for i = 4 + 2 * count, #ARGV, 2 do
  local user, at = ARGV[i], ARGV[i + 1]
  local _, others, is_ours, connections = look(user)
  if is_ours then
    if #others == 0 then
      redis.call('HDEL', here, user)
    else
      redis.call('HSET', here, user, table.concat(others, ' '))
    end
    redis.call('SREM', under, user)
  end
  if connections == 0 then
    goes(gone, channel, user, at)
    went[#went + 1] = user
  end
end
return {1, came, went, elsewhere}
