-- Takes out users of a node whose lease ran out some time ago.
-- KEYS: leases by when they run out, by user the leases under which they are there and with how many connections, by user when they
--       went, when leases were last renewed
-- ARGV: the channel, what the names of sets of users by lease begin with, how many users at most, how many milliseconds ago
-- Answers {whether there may be more, pairs of who went and when}
local leases, here, gone, renewed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, sets, most, ago = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = clock()
local lease = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', now - ago), 'LIMIT', 0, 1)[1]
if not lease then
  return {0, {}}
end
local live = live_leases(leases, now)
local renewed_at = redis.call('HGET', renewed, lease) or '0'
local users = redis.call('SPOP', sets .. lease, most)
local went = {}
for _, user in ipairs(users) do
  local others, is_elsewhere = {}, false
  for one, connections in string.gmatch(redis.call('HGET', here, user) or '', '(%x+)=(%d+)') do
    if one ~= lease then
      others[#others + 1] = one .. '=' .. connections
      is_elsewhere = is_elsewhere or live[one] == true
    end
  end
  if #others == 0 then
    redis.call('HDEL', here, user)
  else
    redis.call('HSET', here, user, table.concat(others, ' '))
  end
  if not is_elsewhere then
    went[#went + 1] = user
    went[#went + 1] = goes(gone, channel, user, renewed_at)
  end
end
if #users < most then
  redis.call('DEL', sets .. lease)
  redis.call('ZREM', leases, lease)
  redis.call('HDEL', renewed, lease)
end
return {1, went}
