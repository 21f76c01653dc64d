#!lua flags=allow-oom
-- Gives a partition back.
-- KEYS  1 run, 2 partition
-- ARGV  1 uid, 2 owner, 3 epoch, 4 the chunk handed out was not tried (0/1): its attempt does not count
-- Reply {OK} | {NOTOWNER} it is another's, or was acquired anew meanwhile | {GONE}
-- Idempotent: releasing again what nobody has acquired since answers OK.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local part = redis.call('HMGET', KEYS[2], 'owner', 'epoch', 'attempts')
if part[2] ~= ARGV[3] or (part[1] ~= ARGV[2] and part[1] ~= '') then return {'NOTOWNER'} end
if part[1] == ARGV[2] then
  give_back(KEYS[2])
  if ARGV[4] == '1' and tonumber(part[3] or '0') > 0 then redis.call('HINCRBY', KEYS[2], 'attempts', -1) end
end
return {'OK'}
