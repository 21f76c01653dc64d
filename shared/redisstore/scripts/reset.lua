#!lua flags=allow-oom
-- Puts one partition back to its head: its stream is deleted and made anew (a stream's last id never goes down), with the
-- payloads, its owner loses it, the split is unfinished. Wakes coordinators, which emit the rest again.
-- KEYS  1 run, 2 partition, 3 chunks, 4 payloads
-- ARGV  1 uid, 2 acked, 3 sealed (-1 = unknown), 4 created, 5 updated, 6 unchanged, 7 skipped, 8 failed,
--       9 channel of the coordinators
-- Reply {OK} | {STOPPED} a run that is being stopped emits nothing again | {GONE} run or partition is not known
-- Idempotent: a repetition costs what was emitted since, which is emitted once more. Histograms keep what was counted
-- for chunks the ledger lost; they are merged from the ledger when the run ends.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
if run[3] then return {'STOPPED'} end
local part = redis.call('HMGET', KEYS[2], 'failed', 'bytes')
if not part[1] then return {'GONE'} end
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('XGROUP', 'CREATE', KEYS[3], 'workers', '0', 'MKSTREAM')
redis.call('HINCRBY', KEYS[2], 'epoch', 1)
redis.call('HSET', KEYS[2], 'emitted', ARGV[2], 'acked', ARGV[2], 'sealed', ARGV[3], 'created', ARGV[4],
  'updated', ARGV[5], 'unchanged', ARGV[6], 'skipped', ARGV[7], 'failed', ARGV[8], 'owner', '', 'lease_until', '0',
  'attempts', '0', 'crashes', '0', 'taken', '0', 'bytes', '0')
redis.call('HDEL', KEYS[2], 'trying', 'vanished')
redis.call('HINCRBY', KEYS[1], 'failed', ARGV[8])
less(KEYS[1], 'failed', part[1])
less(KEYS[1], 'in_flight', part[2])
redis.call('HSET', KEYS[1], 'split_done', '0')
redis.call('PUBLISH', ARGV[9], '')
return {'OK'}
