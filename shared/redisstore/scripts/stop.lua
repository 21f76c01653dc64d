#!lua flags=allow-oom
-- Marks a run as stopping: nothing more is emitted or handed out. Acknowledgements still count.
-- KEYS  1 run
-- ARGV  1 uid, 2 status
-- Reply {OK} | {GONE}, which writes nothing
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
redis.call('HSET', KEYS[1], 'stopping', '1', 'status', ARGV[2])
return {'OK'}
