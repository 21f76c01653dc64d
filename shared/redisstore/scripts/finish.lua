#!lua flags=allow-oom
-- Ends a run: streams and partitions go, its hash and histograms stay for a while so that late calls read GONE.
-- KEYS  1 run, 2 errors, 3 validation, then for each partition: partition, chunks
-- ARGV  1 uid, 2 status, 3 seconds to keep
-- Reply {OK} | {GONE} not known, or another's; writes nothing
-- Idempotent: the first status stays.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] then return {'GONE'} end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
if not run[2] then
  redis.call('HSET', KEYS[1], 'status', ARGV[2], 'finished', '1', 'in_flight', '0')
  redis.call('HDEL', KEYS[1], 'waiting', 'waiting_since', 'split_owner', 'split_until')
  for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
end
return {'OK'}
