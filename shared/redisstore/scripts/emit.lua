#!lua
-- Appends chunk n to its partition. Refused when Redis is out of memory.
-- KEYS  1 run, 2 partition, 3 chunks, 4 payloads
-- ARGV  1 uid, 2 n, 3 payload, 4 size of the payload, 5 limit of the run's bytes in flight, 6 channel of the workers
-- Reply {code, last}, last = max(emitted, acked) where it is known, else ''
--       OK | DUP n is there or acknowledged | GAP n > last+1 | SEALED n is beyond the seal | FULL no room now
--       STOPPED nothing more is emitted | GONE run or partition is not known
-- Idempotent: a repeated chunk answers DUP. A chunk of any size is admitted when nothing of the run is in flight.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished', 'stopping', 'failure', 'in_flight')
if run[1] ~= ARGV[1] or run[2] then return {'GONE', ''} end
if run[3] or run[4] then return {'STOPPED', ''} end
local part = redis.call('HMGET', KEYS[2], 'emitted', 'acked', 'sealed')
if not part[1] then return {'GONE', ''} end
local n, last = tonumber(ARGV[2]), part[1]
if tonumber(part[2]) > tonumber(last) then last = part[2] end
if n <= tonumber(last) then return {'DUP', last} end
local sealed = tonumber(part[3])
if sealed >= 0 and n > sealed then return {'SEALED', last} end
if n > tonumber(last) + 1 then return {'GAP', last} end
local taken = tonumber(run[5])
if taken > 0 and taken + tonumber(ARGV[4]) > tonumber(ARGV[5]) then return {'FULL', last} end

-- A vanished stream is made anew: what it held is found LOST by fetch.
local empty = redis.call('XLEN', KEYS[3]) == 0
if empty and redis.call('EXISTS', KEYS[3]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[3], 'workers', '0', 'MKSTREAM') end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
redis.call('XADD', KEYS[3], ARGV[2] .. '-0', 's', ARGV[4])
redis.call('HSET', KEYS[2], 'emitted', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'in_flight', ARGV[4])
if empty then redis.call('PUBLISH', ARGV[6], '') end
return {'OK', ARGV[2]}
