#!lua flags=allow-oom
-- Ends a run: streams and partitions go, its hash and histograms stay for a while so that late calls read GONE. They
-- then hold the final numbers, whatever was counted before. Wakes who waits for the end of a run.
-- KEYS  1 run, 2 errors, 3 validation, then for each partition: partition, chunks, payloads
-- ARGV  1 uid, 2 status, 3 seconds to keep, 4 created, 5 updated, 6 unchanged, 7 skipped, 8 failed, 9 total, 10 wake-up channel,
--       11 number of errors E, 12 number of validation messages V, then E and V pairs: message, count
-- Reply {OK} | {GONE} not known, or another's; writes nothing
-- Idempotent: the first status and its numbers stay.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] then return {'GONE'} end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
if not run[2] then
  redis.call('HSET', KEYS[1], 'status', ARGV[2], 'finished', '1', 'in_flight', '0', 'created', ARGV[4],
    'updated', ARGV[5], 'unchanged', ARGV[6], 'skipped', ARGV[7], 'failed', ARGV[8], 'total', ARGV[9])
  redis.call('HDEL', KEYS[1], 'waiting', 'waiting_since', 'split_owner', 'split_until')
  redis.call('DEL', KEYS[2], KEYS[3])
  local at = 12
  for key = 2, 3 do
    for _ = 1, tonumber(ARGV[9 + key]) do
      redis.call('ZADD', KEYS[key], ARGV[at + 2], ARGV[at + 1])
      at = at + 2
    end
  end
  for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
  redis.call('PUBLISH', ARGV[10], '')
end
return {'OK'}
