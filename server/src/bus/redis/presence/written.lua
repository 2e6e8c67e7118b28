-- Forgets when users went, now that it is written elsewhere.
-- KEYS: by user when they went
-- ARGV: pairs of who went and when
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return redis.status_reply('OK')
