-- Queues what is to be cleaned up, what is queued already but once.
-- KEYS: the stream, by what is queued its id in the stream
-- ARGV: what is to be cleaned up
for _, what in ipairs(ARGV) do
  if redis.call('HEXISTS', KEYS[2], what) == 0 then
    redis.call('HSET', KEYS[2], what, redis.call('XADD', KEYS[1], '*', 'what', what))
  end
end
return redis.status_reply('OK')
