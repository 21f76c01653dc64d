#!lua flags=allow-oom
-- Deletes every key of a run.
-- KEYS  1 run, 2 errors, 3 validation, then for each partition: partition, chunks, payloads
-- ARGV  1 uid ('' = the run's hash is not there)
-- Reply {OK} | {OTHER} the keys belong to another uid; writes nothing
-- Idempotent.
local uid = redis.call('HGET', KEYS[1], 'uid')
if uid and uid ~= ARGV[1] then return {'OTHER'} end
for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
return {'OK'}
