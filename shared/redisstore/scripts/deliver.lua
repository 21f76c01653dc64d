-- Shared by acquire, ack, release and reset, which have it in front of their own text. It only defines functions.
-- Payloads are no business of theirs: Lua looks at every byte of a text that it is given. Who is handed a chunk gets its
-- payload from the hash, in the same round trip.

-- less subtracts a number written as text: exact, and without a "-0", which is no number to Redis.
local function less(key, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', key, field, '-' .. amount) end
end

-- remove takes chunk n off its stream, with its payload, and its size off the bytes in flight. Nothing happens when it is
-- not there.
local function remove(run, partition, chunks, payloads, n)
  local id = n .. '-0'
  redis.call('HDEL', payloads, n)
  local entry = redis.call('XRANGE', chunks, id, id)[1]
  redis.call('XACK', chunks, 'workers', id)
  if not entry then return end
  local size = '0'
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 's' then size = entry[2][i + 1] end
  end
  redis.call('XDEL', chunks, id)
  less(partition, 'bytes', size)
  less(run, 'in_flight', size)
end

-- deliver returns OK, n for chunk n = acked+1: the oldest pending entry, and only without one the next new
-- one. LOST when the entry that must come is not there, EMPTY when there is none to come.
local function deliver(run, partition, chunks, payloads, owner, acked, emitted)
  local none = 'EMPTY'
  if emitted > acked then none = 'LOST' end
  if redis.call('EXISTS', chunks) == 0 then return none end
  while true do
    local id, entry
    local pending = redis.call('XPENDING', chunks, 'workers', '-', '+', 1)[1]
    if pending then
      id = pending[1]
      entry = redis.call('XRANGE', chunks, id, id)[1]
    else
      local read = redis.call('XREADGROUP', 'GROUP', 'workers', owner, 'COUNT', 1, 'STREAMS', chunks, '>')
      if not read then return none end
      entry = read[1][2][1]
      id = entry[1]
    end
    local n = string.match(id, '^%d+')
    if tonumber(n) > acked then
      if tonumber(n) > acked + 1 or not entry or redis.call('HEXISTS', payloads, n) == 0 then return 'LOST' end
      return 'OK', n
    end
    remove(run, partition, chunks, payloads, n)
  end
end

-- give_back leaves a partition to whoever acquires it next.
local function give_back(partition)
  redis.call('HSET', partition, 'owner', '', 'lease_until', '0', 'taken', '0', 'trying', '')
end

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function whole(x) return string.format('%.0f', x) end

