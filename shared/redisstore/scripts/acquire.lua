#!lua flags=allow-oom
-- Gives a worker's slot the partition it holds, else the free one with the most chunks to do (the lowest of equals).
-- KEYS  1 run, then every partition
-- ARGV  1 uid, 2 owner, 3 lease in ms
-- Reply {OK, partition, epoch, taken (0/1), acked} | {EMPTY} nothing is free | {STOPPED} | {GONE}
--       taken: the lease of another owner had run out without a release; stays so for the whole epoch. The row it
--       tried last, if it said so, is added to those that an owner vanished at.
-- Idempotent: the owner of a partition gets it again, with the same epoch.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
if run[3] or run[4] then return {'STOPPED'} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local expiry = string.format('%.0f', now + tonumber(ARGV[3]))
local best, most, best_part = nil, 0, nil
for i = 2, #KEYS do
  local part = redis.call('HMGET', KEYS[i], 'owner', 'lease_until', 'emitted', 'acked', 'epoch', 'taken')
  if part[1] == ARGV[2] then
    redis.call('HSET', KEYS[i], 'lease_until', expiry)
    return {'OK', tostring(i - 2), part[5], part[6], part[4]}
  end
  if part[1] and (part[1] == '' or tonumber(part[2]) <= now) then
    local todo = tonumber(part[3]) - tonumber(part[4])
    if todo > most then best, most, best_part = i, todo, part end
  end
end
if not best then return {'EMPTY'} end
local taken = '0'
if best_part[1] ~= '' then
  taken = '1'
  redis.call('HINCRBY', KEYS[best], 'crashes', 1)
  local rows = redis.call('HMGET', KEYS[best], 'trying', 'vanished')
  if rows[1] and rows[1] ~= '' then
    redis.call('HSET', KEYS[best], 'trying', '', 'vanished', (rows[2] or '') .. rows[1] .. ' ')
  end
end
local epoch = redis.call('HINCRBY', KEYS[best], 'epoch', 1)
redis.call('HSET', KEYS[best], 'owner', ARGV[2], 'lease_until', expiry, 'taken', taken)
return {'OK', tostring(best - 2), tostring(epoch), taken, best_part[4]}
