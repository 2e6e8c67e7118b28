-- Saves a claim and queues the mail that comes with it, provided that nobody else saved it meanwhile.
-- KEYS: the claim, its ticket, claims by when they may be forgotten, mails by when they are due, the stream of mails taken
-- ARGV: the version that was seen or '', the new version, the claim, how many milliseconds it is kept at most,
--       when it may be forgotten, how many mails may wait, the mail or '', when it is due
-- Answers 1; 0 when the version is another; -1 when too many mails wait.
local claim, ticket, forgetting, later, taken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if (redis.call('HGET', claim, 'version') or '') ~= ARGV[1] then
  return 0
end
local mail = ARGV[7]
if mail ~= '' and redis.call('ZCARD', later) + redis.call('XLEN', taken) >= tonumber(ARGV[6]) then
  return -1
end
local before = redis.call('HGET', claim, 'ticket')
if before and before ~= ticket then
  redis.call('DEL', before)
end
redis.call('HSET', claim, 'version', ARGV[2], 'claim', ARGV[3], 'ticket', ticket)
redis.call('PEXPIRE', claim, ARGV[4])
redis.call('SET', ticket, claim, 'PX', ARGV[4])
redis.call('ZADD', forgetting, ARGV[5], claim)
if mail ~= '' then
  redis.call('ZADD', later, ARGV[8], mail)
end
return 1
