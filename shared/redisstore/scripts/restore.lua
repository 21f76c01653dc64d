#!lua
-- Makes a run Redis does not know, or adds what is missing of it: all partitions when its manifest has been fixed,
-- one whose hash has vanished.
-- KEYS  1 run, 2 errors, 3 validation, then for each partition: partition, chunks, payloads
-- ARGV  1 uid, 2 status, 3 definition, 4 manifest, 5 dry_run (0/1), 6 partitions, 7 split_done (0/1), 8 total,
--       9 number of errors E, 10 number of validation messages V, then for each partition 7 values: acked, sealed
--       (-1 = unknown), created, updated, unchanged, skipped, failed; then E and V pairs: message, count
-- Reply {CREATED} something was made | {KNOWN} nothing to do | {FINISHED} the run has ended | {OTHER} the keys belong
--       to another uid; the last three write nothing
-- Idempotent: what is there stays as it is, so the second call answers KNOWN.
local have = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'partitions')
if have[1] and have[1] ~= ARGV[1] then return {'OTHER'} end
if have[2] then return {'FINISHED'} end
local count = tonumber(ARGV[6])
if have[1] and tonumber(have[3]) > count then return {'KNOWN'} end
local missing = {}
for p = 1, count do
  if not have[1] or redis.call('EXISTS', KEYS[1 + 3 * p]) == 0 then missing[#missing + 1] = p end
end
if have[1] and #missing == 0 and tonumber(have[3]) == count then return {'KNOWN'} end

if not have[1] then
  local t = redis.call('TIME')
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'uid', ARGV[1], 'status', ARGV[2],
    'first_seen', t[1] .. '000')
  if ARGV[2] == 'cancelling' then redis.call('HSET', KEYS[1], 'stopping', '1') end
end
redis.call('HSET', KEYS[1], 'definition', ARGV[3], 'manifest', ARGV[4], 'dry_run', ARGV[5], 'partitions', ARGV[6],
  'split_done', ARGV[7], 'total', ARGV[8])

local fields = {'acked', 'sealed', 'created', 'updated', 'unchanged', 'skipped', 'failed'}
for _, p in ipairs(missing) do
  local partition, chunks, payloads, at = KEYS[1 + 3 * p], KEYS[2 + 3 * p], KEYS[3 + 3 * p], 10 + 7 * (p - 1)
  redis.call('DEL', partition, chunks, payloads)
  for i = 1, 7 do redis.call('HSET', partition, fields[i], ARGV[at + i]) end
  redis.call('HSET', partition, 'emitted', ARGV[at + 1], 'owner', '', 'epoch', '0', 'lease_until', '0',
    'attempts', '0', 'crashes', '0', 'taken', '0', 'bytes', '0')
  redis.call('XGROUP', 'CREATE', chunks, 'workers', '0', 'MKSTREAM')
end

-- What is summed over the partitions is summed anew.
local open = 0
redis.call('HSET', KEYS[1], 'failed', '0', 'in_flight', '0')
for p = 1, count do
  local part = redis.call('HMGET', KEYS[1 + 3 * p], 'failed', 'bytes', 'acked', 'sealed')
  redis.call('HINCRBY', KEYS[1], 'failed', part[1])
  redis.call('HINCRBY', KEYS[1], 'in_flight', part[2])
  if tonumber(part[3]) < tonumber(part[4]) then open = open + 1 end
end
redis.call('HSET', KEYS[1], 'open', open)

local at = 10 + 7 * count
local errors, validation = tonumber(ARGV[9]), tonumber(ARGV[10])
if not have[1] or tonumber(have[3]) < count then
  redis.call('DEL', KEYS[2], KEYS[3])
  for i = 1, errors do redis.call('ZADD', KEYS[2], ARGV[at + 2 * i], ARGV[at + 2 * i - 1]) end
  at = at + 2 * errors
  for i = 1, validation do redis.call('ZADD', KEYS[3], ARGV[at + 2 * i], ARGV[at + 2 * i - 1]) end
end
return {'CREATED'}
