-- Takes out of the queue what was cleaned up.
-- KEYS: the stream, by what is queued its id in the stream
-- ARGV: the group, what was cleaned up
for i = 2, #ARGV do
  local id = redis.call('HGET', KEYS[2], ARGV[i])
  if id then
    redis.call('XACK', KEYS[1], ARGV[1], id)
    redis.call('XDEL', KEYS[1], id)
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
return redis.status_reply('OK')
