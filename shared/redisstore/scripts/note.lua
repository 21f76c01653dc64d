#!lua flags=allow-oom
-- Sets fields of a run that only inform: status copy, split progress, what it waits for.
-- KEYS  1 run
-- ARGV  1 uid, then pairs: field, value ('' = the field is deleted); waiting_since stays while it is there: whoever notes
--       first knows since when
-- Reply {OK} | {GONE}, which writes nothing
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  elseif ARGV[i] == 'waiting_since' then
    redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
return {'OK'}
