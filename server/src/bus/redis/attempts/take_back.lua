-- Takes back one try of a moment.
-- KEYS: the sorted sets in which it was noted
-- ARGV: when
for _, key in ipairs(KEYS) do
  local noted = redis.call('ZRANGEBYSCORE', key, ARGV[1], ARGV[1], 'LIMIT', 0, 1)
  if noted[1] then
    redis.call('ZREM', key, noted[1])
  end
end
return redis.status_reply('OK')
