-- The claim of a ticket.
-- KEYS: the ticket
-- Answers the version and the claim, or nothing.
local claim = redis.call('GET', KEYS[1])
if not claim then
  return {}
end
local found = redis.call('HMGET', claim, 'version', 'claim', 'ticket')
if found[3] ~= KEYS[1] then
  return {}
end
return {found[1], found[2]}
