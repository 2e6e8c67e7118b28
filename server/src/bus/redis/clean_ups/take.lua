-- Takes what is to be cleaned up.
-- KEYS: the stream
-- ARGV: the group, this node, how many at most, after how many milliseconds a node has left what it took
-- Answers the ids in the stream, each with what is to be cleaned up.

-- All that is offered is in the stream at once.
local function refill() end

return take(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], refill)
