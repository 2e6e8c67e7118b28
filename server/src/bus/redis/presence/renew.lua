-- Renews the lease of a node; 0 when it has run out, and the users of the node must be registered anew.
-- KEYS: leases by when they run out, when each was last renewed
-- ARGV: which, for how many milliseconds, now by the clock of the nodes, 1 when it begins
local now = clock()
local runs_out = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
if ARGV[4] ~= '1' and runs_out <= now then
  return 0
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
