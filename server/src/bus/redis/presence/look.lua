-- Whether users are there.
-- KEYS: leases by when they run out, by user the leases under which they are there and with how many connections, by user when they
--       went, when leases were last renewed
-- ARGV: 'count' or 'each', users
-- Answers how many are there, or for each '+', when they went, or '' for who is not known.
local leases, here, gone, renewed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local live = live_leases(leases, clock())
local count, each = 0, {}
-- Lua takes so many values at once.
local at_once = 1000
for first = 2, #ARGV, at_once do
  local last = math.min(first + at_once - 1, #ARGV)
  local found = redis.call('HMGET', here, unpack(ARGV, first, last))
  local went = ARGV[1] == 'each' and redis.call('HMGET', gone, unpack(ARGV, first, last))
  for i = 1, last - first + 1 do
    local is_there, at = false, went and went[i] or ''
    for one in string.gmatch(found[i] or '', '(%x+)=') do
      if live[one] then
        is_there = true
      elseif went then
        -- Not taken out yet, but there no more.
        local until_then = redis.call('HGET', renewed, one) or '0'
        if at == '' or tonumber(until_then) > tonumber(at) then
          at = until_then
        end
      end
    end
    if is_there then
      count = count + 1
      at = '+'
    end
    each[#each + 1] = at
  end
end
if ARGV[1] == 'count' then
  return count
end
return each
