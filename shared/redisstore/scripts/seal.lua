#!lua flags=allow-oom
-- Says how many chunks every partition has: the split is done, the total final. Wakes coordinators.
-- KEYS  1 run, then every partition
-- ARGV  1 uid, 2 total, 3 channel of the coordinators, 4 whether the chunks of the last partition are emitted later (0/1),
--       then for each partition its chunks
-- Reply {OK} | {GAP} a partition does not have exactly these chunks (it was reset meanwhile), or the number of
--       partitions differs | {STOPPED} | {GONE}; all but OK write nothing
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure', 'partitions')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
if run[3] or run[4] then return {'STOPPED'} end
if tonumber(run[5]) ~= #KEYS - 1 then return {'GAP'} end
local open = 0
for i = 2, #KEYS do
  local part = redis.call('HMGET', KEYS[i], 'emitted', 'acked')
  if not part[1] then return {'GAP'} end
  local chunks, acked = tonumber(ARGV[i + 3]), tonumber(part[2])
  if math.max(tonumber(part[1]), acked) ~= chunks and not (i == #KEYS and ARGV[4] == '1') then return {'GAP'} end
  if acked < chunks then open = open + 1 end
end
for i = 2, #KEYS do redis.call('HSET', KEYS[i], 'sealed', ARGV[i + 3]) end
redis.call('HSET', KEYS[1], 'split_done', '1', 'total', ARGV[2], 'open', open)
redis.call('PUBLISH', ARGV[3], '')
return {'OK'}
