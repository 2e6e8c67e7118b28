-- Forgets claims that may be forgotten.
-- KEYS: claims by when they may be forgotten
-- ARGV: now, how many at most
-- Answers how many there were.
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, claim in ipairs(old) do
  local ticket = redis.call('HGET', claim, 'ticket')
  if ticket then
    redis.call('DEL', ticket)
  end
  redis.call('DEL', claim)
  redis.call('ZREM', KEYS[1], claim)
end
return #old
