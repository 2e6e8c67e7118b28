-- Counts one by the generic cell rate algorithm, or says for how many microseconds to wait.
-- KEYS: the time at which whoever is counted has nothing left to wait for
-- ARGV: microseconds for each, how many at once
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local every, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local free_at = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now) + every
local wait = free_at - burst * every - now
if wait > 0 then
  return math.ceil(wait)
end
-- Written out in full: Lua would round so large a number.
redis.call('SET', KEYS[1], string.format('%.0f', free_at), 'PX', math.ceil((free_at - now) / 1000) + 1)
return 0
