-- Takes mails that are due, and those that another node took and left.
-- KEYS: mails by when they are due, the stream of mails taken
-- ARGV: the group, this node, now, how many at most, after how many milliseconds a node has left what it took
-- Answers the ids in the stream, each with its mail, and when the next one is due, or ''.
local later, stream, now = KEYS[1], KEYS[2], ARGV[3]

local function refill(room)
  for _, mail in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, room)) do
    redis.call('XADD', stream, '*', 'mail', mail)
    redis.call('ZREM', later, mail)
  end
end

local taken = take(stream, ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5], refill)
return {taken, redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')[2] or ''}
