#!lua flags=allow-oom
-- Notes that a process lives, with the server's time in front: clocks of processes do not matter.
-- KEYS  1 workers
-- ARGV  1 process, 2 what it says of itself
-- Reply {OK}
-- Idempotent.
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', t[1] * 1000 + math.floor(t[2] / 1000)) .. ARGV[2])
return {'OK'}
