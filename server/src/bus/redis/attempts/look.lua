-- Whether a try may be made; counts it when it is to begin.
-- KEYS: failures of the account, of the network, of both together: each a sorted set by time
-- ARGV: now, limit and milliseconds of the account, limit and milliseconds of the network,
--       tries of a network on an account whose limit was exceeded from elsewhere, a name for the try or '' to look only
-- Answers {may it, milliseconds to wait for the account or the network, or -1}
local account, network, both = KEYS[1], KEYS[2], KEYS[3]
local now = tonumber(ARGV[1])
local account_limit, account_span = tonumber(ARGV[2]), tonumber(ARGV[3])
local network_limit, network_span = tonumber(ARGV[4]), tonumber(ARGV[5])
local elsewhere, name = tonumber(ARGV[6]), ARGV[7]

local function after(at)
  return '(' .. string.format('%.0f', at)
end

local function count(key, span)
  return redis.call('ZCOUNT', key, after(now - span), '+inf')
end

-- How long until fewer than the limit lie in the span; -1 when they do.
local function wait(key, limit, span)
  local excess = count(key, span) - limit
  if excess < 0 then
    return -1
  end
  local leaves_last = redis.call('ZRANGEBYSCORE', key, after(now - span), '+inf', 'WITHSCORES', 'LIMIT', excess, 1)
  local free_at = (tonumber(leaves_last[2]) or now) + span
  return math.max(math.abs(free_at - now), 1)
end

local function note(key, span)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - span))
  redis.call('ZADD', key, ARGV[1], name)
  -- By the clock of Redis, which may be another.
  redis.call('PEXPIRE', key, string.format('%.0f', 2 * span))
end

local network_wait = wait(network, network_limit, network_span)
if network_wait >= 0 then
  return {0, network_wait}
end
local account_wait = wait(account, account_limit, account_span)
if account_wait >= 0 and count(both, account_span) >= math.min(elsewhere, account_limit) then
  return {0, account_wait}
end
if name ~= '' then
  if account_wait < 0 then
    note(account, account_span)
  end
  note(network, network_span)
  note(both, account_span)
end
return {1, account_wait}
