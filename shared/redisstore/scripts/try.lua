#!lua flags=allow-oom
-- Notes which row of its next chunk the owner of a partition tries now, for whoever takes the partition over from it.
-- KEYS  1 run, 2 partition
-- ARGV  1 uid, 2 owner, 3 epoch, 4 number of the row, '' = none any more
-- Reply {OK} | {NOTOWNER} the partition is another's or nobody's | {GONE}
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local part = redis.call('HMGET', KEYS[2], 'owner', 'epoch')
if part[1] ~= ARGV[2] or part[2] ~= ARGV[3] then return {'NOTOWNER'} end
redis.call('HSET', KEYS[2], 'trying', ARGV[4])
return {'OK'}
