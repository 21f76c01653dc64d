#!lua flags=allow-oom
-- Takes, keeps or leaves the split lease of a run.
-- KEYS  1 run
-- ARGV  1 uid, 2 take | keep | leave, 3 owner, 4 lease in ms
-- Reply {OK} | {HELD} it is another's; for keep also: nobody's | {DONE} the split is done (take) | {STOPPED} (take, keep)
--       {GONE}; all but OK write nothing. Leaving what one does not hold is OK and writes nothing.
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure', 'split_done', 'split_owner', 'split_until')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local mine = run[6] == ARGV[3]
if ARGV[2] == 'leave' then
  if mine then redis.call('HDEL', KEYS[1], 'split_owner', 'split_until') end
  return {'OK'}
end
if run[3] or run[4] then return {'STOPPED'} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[2] == 'keep' then
  if not mine then return {'HELD'} end
else
  if run[5] == '1' then return {'DONE'} end
  if run[6] and not mine and tonumber(run[7]) > now then return {'HELD'} end
end
redis.call('HSET', KEYS[1], 'split_owner', ARGV[3], 'split_until', string.format('%.0f', now + tonumber(ARGV[4])))
return {'OK'}
