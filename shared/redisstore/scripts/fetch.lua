#!lua flags=allow-oom
-- Hands the owner of a partition its next chunk and renews the lease.
-- KEYS  1 run, 2 partition, 3 chunks, 4 payloads
-- ARGV  1 uid, 2 owner, 3 epoch, 4 lease in ms
-- Reply {OK, n, attempts, crashes} | {EMPTY} nothing to do | {LOST} the entry that must come is not there
--       {NOTOWNER} the partition is another's or nobody's | {STOPPED} | {GONE}
-- Idempotent: until it is acknowledged, the same chunk comes again, with one more attempt.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local part = redis.call('HMGET', KEYS[2], 'owner', 'epoch', 'acked', 'emitted', 'crashes')
if part[1] ~= ARGV[2] or part[2] ~= ARGV[3] then return {'NOTOWNER'} end
if run[3] or run[4] then return {'STOPPED'} end
local code, n = deliver(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[2], tonumber(part[3]), tonumber(part[4]))
redis.call('HSET', KEYS[2], 'lease_until', whole(clock() + tonumber(ARGV[4])))
if code ~= 'OK' then return {code} end
local attempts = redis.call('HINCRBY', KEYS[2], 'attempts', 1)
return {'OK', n, tostring(attempts), part[5]}
