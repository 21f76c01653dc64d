#!lua flags=allow-oom
-- Notes that chunk n has taken effect, whoever says so: the ledger has it. Brings the current owner its next chunk, or takes
-- the partition back when there is none.
-- KEYS  1 run, 2 partition, 3 chunks, 4 payloads, 5 errors, 6 validation
-- ARGV  1 uid, 2 n, 3 created, 4 updated, 5 unchanged, 6 skipped, 7 failed (totals of the partition after n),
--       8 owner ('' = no owner calls), 9 epoch, 10 lease in ms, 11 limit of failed rows of the run (0 = none),
--       12 channel of the coordinators, 13 distinct messages per histogram, 14 number of errors E,
--       15 number of validation messages V, then E and V pairs: message, count
-- Reply {code, n, attempts, crashes, behind (0/1)} with the next chunk: behind = chunk n+1 is there, too
--       {code} without one: the partition is not the caller's any more
--       OK | DUP n was acknowledged before | GAP n > acked+1 | GONE run or partition is not known; the last two write
--       nothing
-- A run whose chunks take effect waits for nothing: OK clears what it was said to wait for.
-- Idempotent: totals are set, histograms grow with OK only. The next chunk comes with DUP, too.
-- Wakes coordinators when n was the last chunk of its sealed partition and at most one is open by then, which may be one
-- whose chunk they emit; and when the run's failed rows pass the limit.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure', 'failed', 'split_done', 'waiting')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
local part = redis.call('HMGET', KEYS[2], 'acked', 'emitted', 'sealed', 'owner', 'epoch', 'failed', 'attempts', 'crashes', 'trying',
  'vanished')
if not part[1] then return {'GONE'} end
local n, acked, emitted = tonumber(ARGV[2]), tonumber(part[1]), tonumber(part[2])
if n > acked + 1 then return {'GAP'} end

local function count(key, message, rows)
  if not redis.call('ZSCORE', key, message) then
    local distinct = redis.call('ZCARD', key)
    if redis.call('ZSCORE', key, '(other)') then distinct = distinct - 1 end
    if distinct >= tonumber(ARGV[13]) then message = '(other)' end
  end
  redis.call('ZINCRBY', key, rows, message)
end

remove(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[2])
local code, attempts, crashes = 'DUP', tonumber(part[7]), part[8]
if n == acked + 1 then
  code, acked, attempts, crashes = 'OK', n, 0, '0'
  emitted = math.max(emitted, n)
  redis.call('HSET', KEYS[2], 'acked', ARGV[2], 'emitted', whole(emitted), 'created', ARGV[3], 'updated', ARGV[4],
    'unchanged', ARGV[5], 'skipped', ARGV[6], 'failed', ARGV[7], 'attempts', '0', 'crashes', '0')
  if part[9] or part[10] then redis.call('HDEL', KEYS[2], 'trying', 'vanished') end
  if run[7] then redis.call('HDEL', KEYS[1], 'waiting', 'waiting_since') end
  local failed = tonumber(run[5])
  if ARGV[7] ~= part[6] then
    less(KEYS[1], 'failed', part[6])
    failed = redis.call('HINCRBY', KEYS[1], 'failed', ARGV[7])
  end
  local limit = tonumber(ARGV[11])
  local wake = limit > 0 and failed > limit and tonumber(run[5]) <= limit
  if run[6] == '1' and n == tonumber(part[3]) and redis.call('HINCRBY', KEYS[1], 'open', -1) <= 1 then wake = true end
  local at = 15
  for _ = 1, tonumber(ARGV[14]) do
    count(KEYS[5], ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  for _ = 1, tonumber(ARGV[15]) do
    count(KEYS[6], ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  if wake then redis.call('PUBLISH', ARGV[12], '') end
end

if ARGV[8] == '' or part[4] ~= ARGV[8] or part[5] ~= ARGV[9] then return {code} end
local delivered, next_n = 'STOPPED', nil
if not run[3] and not run[4] then
  delivered, next_n = deliver(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[8], acked, emitted)
end
if delivered ~= 'OK' then
  give_back(KEYS[2])
  return {code}
end
attempts = math.max(attempts, 1)
redis.call('HSET', KEYS[2], 'lease_until', whole(clock() + tonumber(ARGV[10])), 'attempts', whole(attempts))
return {code, next_n, tostring(attempts), crashes, emitted > acked + 1 and '1' or '0'}
