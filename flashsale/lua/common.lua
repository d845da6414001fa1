#!lua name=flashsale_@VERSION@
-- The sale's memory. One sale lives in one hash slot, so that everything here is decided atomically.
--
-- fs:{S}:sale        hash    epoch seq last_now opens_at closes_at paused closed pay_within standby_size id items
--                            notice: why it is paused, as text for whoever asks; nothing here reads it
--                            rate schedule queue_limit tie_band lots_at_open line_key: see queue.lua; fence: below
-- fs:{S}:stream      stream  what happened, in order: kind user ref at pay_by standby; read by the workers
-- fs:{S}:line        zset    user -> score of his ticket: see queue.lua
-- fs:{S}:tries:M     hash    user -> attempts in minute M
-- fs:{S}:flow        hash    outcome -> attempts that were told it
-- fs:{S}:seen        HyperLogLog of the users who attempted
-- fs:{S}:each        hash    user -> attempts, of some shoppers only; `every`: of those whose number it divides
-- fs:{S}:item:I      hash    quantity free held paid returned limit number standby_number
-- fs:{S}:holders:I   hash    user -> "rid pay_by" of the unit he holds
-- fs:{S}:owners:I    hash    user -> "rid pay_by count": the last unit he paid, and how many
-- fs:{S}:standby:I   zset    user -> standby number
--
-- A function is atomic but not transactional: an error after a write keeps the write. So every function
-- reads and checks first and writes last. All times are milliseconds since 1970 by this store's clock.

local FIRST_ITEM = 4
local KEYS_PER_ITEM = 4

local function store_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function sale_of(key)
  local f = redis.call('HMGET', key, 'epoch', 'seq', 'last_now', 'opens_at', 'closes_at', 'paused',
    'closed', 'pay_within', 'standby_size', 'id', 'rate', 'schedule', 'queue_limit', 'tie_band', 'lots_at_open',
    'line_key', 'fence')
  if not f[1] then return nil end
  return {
    epoch = tonumber(f[1]), seq = tonumber(f[2]), opens_at = tonumber(f[4]), closes_at = tonumber(f[5]),
    paused = f[6] == '1', closed = f[7] == '1', pay_within = tonumber(f[8]), standby_size = tonumber(f[9]),
    id = f[10], rate = tonumber(f[11] or -1), schedule = f[12] or '', queue_limit = tonumber(f[13] or -1),
    tie_band = tonumber(f[14] or 0), lots_at_open = f[15] == '1', line_key = f[16] or '',
    fenced = tonumber(f[17] or 0) > tonumber(f[1]),
    now = math.max(store_time(), tonumber(f[3])), -- the system clock may step back, the sale's does not
  }
end

local function phase_of(sale)
  if sale.closed or sale.now >= sale.closes_at then return 'ended' end
  if sale.now < sale.opens_at then return 'not_open' end
  if sale.paused or sale.fenced then return 'paused' end
  return 'open'
end

-- A sale that is being built anew (`fence`) gives nothing more and takes nothing more: the rows have it, and
-- whoever wants to tell this world something tells the next one, when it is there.
local function open_sale_of(key)
  local sale = sale_of(key)
  if sale and sale.fenced then error({ err = 'FENCED the sale is being built anew' }) end
  return sale
end

local function item_of(keys, first)
  local f = redis.call('HMGET', keys[first], 'quantity', 'free', 'held', 'paid', 'returned', 'limit',
    'number', 'standby_number', 'id')
  if not f[1] then return nil end
  return {
    key = keys[first], holders = keys[first + 1], owners = keys[first + 2], standby = keys[first + 3],
    quantity = tonumber(f[1]), free = tonumber(f[2]), held = tonumber(f[3]), paid = tonumber(f[4]),
    returned = tonumber(f[5]), limit = tonumber(f[6]), number = tonumber(f[7]),
    standby_number = tonumber(f[8]), id = f[9],
  }
end

local function save_item(item)
  redis.call('HSET', item.key, 'free', item.free, 'held', item.held, 'paid', item.paid,
    'returned', item.returned, 'number', item.number, 'standby_number', item.standby_number)
end

local function save_sale(key, sale)
  redis.call('HSET', key, 'seq', string.format('%d', sale.seq + 1), 'last_now', string.format('%d', sale.now),
    'schedule', sale.schedule)
end

local function log(stream, kind, user, ref, now, pay_by, standby)
  redis.call('XADD', stream, '*', 'kind', kind, 'user', user, 'ref', ref,
    'at', string.format('%d', now), 'pay_by', string.format('%d', pay_by),
    'standby', string.format('%d', standby))
end

-- The name of a reservation or of a standby place: item, epoch and number never repeat together.
local function next_ref(item, epoch, counter)
  item[counter] = item[counter] + 1
  return string.format('%s-%d-%d', item.id, epoch, item[counter])
end

local function news(sale)
  redis.call('PUBLISH', 'fs:news', sale.id)
end
