#!lua flags=allow-oom
-- Notes why a run cannot go on – the first reason stays – and wakes coordinators. Nothing more is handed out.
-- KEYS  1 run
-- ARGV  1 uid, 2 reason, 3 channel of the coordinators
-- Reply {OK} | {GONE}, which writes nothing
-- Idempotent.
local run = redis.call('HMGET', KEYS[1], 'uid', 'finished')
if run[1] ~= ARGV[1] or run[2] then return {'GONE'} end
redis.call('HSETNX', KEYS[1], 'failure', ARGV[2])
redis.call('PUBLISH', ARGV[3], '')
return {'OK'}
