#!lua flags=allow-oom
-- Extends the lease of a partition; it never creates one and never shortens it.
-- KEYS  1 run, 2 partition
-- ARGV  1 uid, 2 owner, 3 epoch, 4 lease in ms
-- Reply {OK} | {STOPPED} extended all the same, but the run is being stopped: the chunk in hand may end
--       {NOTOWNER} the partition is another's or nobody's | {GONE}
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local part = redis.call('HMGET', KEYS[2], 'owner', 'epoch', 'lease_until')
if part[1] ~= ARGV[2] or part[2] ~= ARGV[3] then return {'NOTOWNER'} end
local t = redis.call('TIME')
local expiry = t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[4])
if expiry > tonumber(part[3]) then redis.call('HSET', KEYS[2], 'lease_until', string.format('%.0f', expiry)) end
if run[3] then return {'STOPPED'} end
return {'OK'}
