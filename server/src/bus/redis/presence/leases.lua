-- Leases, and users who go. This is the beginning of scripts about who is there.

-- Now by the clock of Redis, in milliseconds.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The leases that have not run out, as a set.
local function live_leases(leases, now)
  local live = {}
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', leases, '(' .. string.format('%.0f', now), '+inf')) do
    live[one] = true
  end
  return live
end

-- Notes when a user went who is nowhere now, and tells it to all nodes. Of two times the later one counts, and is answered.
local function goes(gone, channel, user, at)
  local before = redis.call('HGET', gone, user)
  if before and tonumber(before) > tonumber(at) then
    at = before
  end
  redis.call('HSET', gone, user, at)
  redis.call('PUBLISH', channel, '-' .. user .. at)
  return at
end
