-- Makes a hash of a destination's own, unless its key is there already.
-- KEYS  1 hash
-- ARGV  pairs: field, value
-- Reply 1 | 0, which writes nothing
-- Idempotent.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
