#!lua flags=allow-oom
-- Lets a chunk begin, if the rows of its importer have not been too many lately. The bucket holds the rows of one second
-- at most, fills with time and may be overdrawn by one chunk: the next one begins when the debt is paid. A bucket that is
-- not there begins empty and without debt.
-- KEYS  1 the importer's bucket, 2 the last chunk of the partition that was let begin
-- ARGV  1 chunk, 2 rows of the chunk, 3 rows per second
-- Reply {OK, microseconds until another chunk can begin} | {WAIT, the same}, which writes nothing
-- Idempotent: a chunk that was let begin, and those before it, may begin again and take nothing. This is remembered for
-- an hour longer than the debt lasts.
local rows, rate = tonumber(ARGV[2]), tonumber(ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local bucket = redis.call('HMGET', KEYS[1], 'rows', 'at')
local level = 0
if bucket[1] and bucket[2] then
  level = math.min(rate, tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) * rate / 1000000)
end
local function wait(l) return string.format('%.0f', math.ceil(math.max(0, -l) * 1000000 / rate)) end
local begun = redis.call('GET', KEYS[2])
if begun and tonumber(ARGV[1]) <= tonumber(begun) then return {'OK', wait(level)} end
if level < 0 then return {'WAIT', wait(level)} end
level = level - rows
local ttl = string.format('%.0f', math.ceil(math.max(0, -level) * 1000 / rate) + 3600000)
redis.call('HSET', KEYS[1], 'rows', string.format('%.6f', level), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('SET', KEYS[2], ARGV[1], 'PX', ttl)
return {'OK', wait(level)}
