#!lua flags=allow-oom
-- Gives a worker's slot the partition it holds, else the free one with the most chunks to do (the lowest of equals), and
-- hands it the next chunk of that. A partition it holds without anything to do is given back.
-- KEYS  1 run, then of every partition: partition, chunks, payloads
-- ARGV  1 uid, 2 owner, 3 lease in ms
-- Reply {OK, partition, epoch, taken (0/1), acked, others (0/1), n, attempts, crashes, behind (0/1)}
--       {LOST, partition, epoch, taken, acked, others} acquired, but the entry that must come is not there
--       {EMPTY} nothing is free | {STOPPED} | {GONE}
--       taken: the lease of another owner had run out without a release; stays so for the whole epoch. The row it
--       tried last, if it said so, is added to those that an owner vanished at.
--       others: more partitions are free and have chunks to do. behind: chunk n+1 is there, too.
-- Idempotent: the owner of a partition gets it again, with the same epoch and the same chunk, with one more attempt.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
if run[3] or run[4] then return {'STOPPED'} end
local now = clock()
local own, at, part, most, free = false, nil, nil, 0, 0
for i = 2, #KEYS, 3 do
  local one = redis.call('HMGET', KEYS[i], 'owner', 'lease_until', 'emitted', 'acked', 'epoch', 'taken')
  local todo = one[1] and tonumber(one[3]) - tonumber(one[4]) or 0
  if one[1] == ARGV[2] then
    if todo > 0 then own, at, part = true, i, one else give_back(KEYS[i]) end
  elseif todo > 0 and (one[1] == '' or tonumber(one[2]) <= now) then
    free = free + 1
    if not own and todo > most then at, part, most = i, one, todo end
  end
end
if not at then return {'EMPTY'} end
local epoch, taken = part[5], part[6]
if not own then
  free, taken = free - 1, '0'
  if part[1] ~= '' then
    taken = '1'
    redis.call('HINCRBY', KEYS[at], 'crashes', 1)
    local rows = redis.call('HMGET', KEYS[at], 'trying', 'vanished')
    if rows[1] and rows[1] ~= '' then
      redis.call('HSET', KEYS[at], 'trying', '', 'vanished', (rows[2] or '') .. rows[1] .. ' ')
    end
  end
  epoch = tostring(redis.call('HINCRBY', KEYS[at], 'epoch', 1))
end
redis.call('HSET', KEYS[at], 'owner', ARGV[2], 'lease_until', whole(now + tonumber(ARGV[3])), 'lease', ARGV[3],
  'taken', taken)
local acked, emitted = tonumber(part[4]), tonumber(part[3])
local others = free > 0 and '1' or '0'
local code, n = deliver(KEYS[1], KEYS[at], KEYS[at + 1], KEYS[at + 2], ARGV[2], acked, emitted)
if code ~= 'OK' then return {'LOST', tostring((at - 2) / 3), epoch, taken, part[4], others} end
local attempts = redis.call('HINCRBY', KEYS[at], 'attempts', 1)
return {'OK', tostring((at - 2) / 3), epoch, taken, part[4], others, n, tostring(attempts),
  redis.call('HGET', KEYS[at], 'crashes'), emitted > acked + 1 and '1' or '0'}
