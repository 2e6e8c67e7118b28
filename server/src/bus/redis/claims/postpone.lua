-- Puts back a mail that was taken, unless it was removed meanwhile.
-- KEYS: mails by when they are due, the stream of mails taken
-- ARGV: the group, the id, the mail as it is now, when it is due
if redis.call('XACK', KEYS[2], ARGV[1], ARGV[2]) == 1 then
  redis.call('XDEL', KEYS[2], ARGV[2])
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[3])
end
return redis.status_reply('OK')
