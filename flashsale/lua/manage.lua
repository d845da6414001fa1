-- load: write a sale as PostgreSQL knows it, or, at the same epoch, only its settings.
-- KEYS  sale, stream, then item, holders, owners, standby of each item
-- ARGS  a JSON document: {id, epoch, opens_at, closes_at, paused, closed, pay_within, standby_size, items: [
--         {id, quantity, paid, returned, limit, number, standby_number,
--          holders: [[user, "rid pay_by"], ...], owners: [[user, "rid pay_by count"], ...],
--          standby: [[user, number], ...]}, ...]}
-- REPLY "loaded", "updated" (same epoch), or "old" (the store has a later epoch: nothing is changed)

local function write_settings(key, doc)
  redis.call('HSET', key, 'opens_at', string.format('%d', doc.opens_at),
    'closes_at', string.format('%d', doc.closes_at), 'paused', doc.paused and 1 or 0,
    'closed', doc.closed and 1 or 0, 'pay_within', doc.pay_within, 'standby_size', doc.standby_size)
end

local function write_pairs(command, key, rows, swap)
  for _, row in ipairs(rows) do
    if swap then redis.call(command, key, row[2], row[1]) else redis.call(command, key, row[1], row[2]) end
  end
end

local function write_item_from(keys, first, doc)
  redis.call('DEL', keys[first], keys[first + 1], keys[first + 2], keys[first + 3])
  local held = #doc.holders
  redis.call('HSET', keys[first], 'id', doc.id, 'quantity', doc.quantity, 'held', held, 'paid', doc.paid,
    'returned', doc.returned, 'free', doc.quantity - held - doc.paid - doc.returned, 'limit', doc.limit,
    'number', doc.number, 'standby_number', doc.standby_number)
  write_pairs('HSET', keys[first + 1], doc.holders)
  write_pairs('HSET', keys[first + 2], doc.owners)
  write_pairs('ZADD', keys[first + 3], doc.standby, true)
end

redis.register_function('load_@VERSION@', function(keys, args)
  local doc = cjson.decode(args[1])
  local sale = sale_of(keys[1])
  if sale and sale.epoch > doc.epoch then return 'old' end
  if sale and sale.epoch == doc.epoch then
    write_settings(keys[1], doc)
    save_sale(keys[1], sale)
    news(sale)
    return 'updated'
  end
  for i, item in ipairs(doc.items) do write_item_from(keys, 3 + (i - 1) * KEYS_PER_ITEM, item) end
  local ids = {}
  for i, item in ipairs(doc.items) do ids[i] = item.id end
  redis.call('HSET', keys[1], 'id', doc.id, 'epoch', doc.epoch, 'seq', 1, 'items', table.concat(ids, ' '),
    'last_now', string.format('%d', sale and sale.now or 0))
  write_settings(keys[1], doc)
  redis.pcall('XGROUP', 'CREATE', keys[2], 'orders', '0', 'MKSTREAM') -- it may be there from the last epoch
  redis.call('PUBLISH', 'fs:news', doc.id)
  return 'loaded'
end)

-- pause: nobody reserves until it is resumed; deadlines and payments go on.
-- KEYS  sale   ARGS  1 to pause, 0 to resume   REPLY 1, or 0 for an unknown sale
redis.register_function('pause_@VERSION@', function(keys, args)
  local sale = sale_of(keys[1])
  if not sale then return 0 end
  redis.call('HSET', keys[1], 'paused', args[1])
  save_sale(keys[1], sale)
  news(sale)
  return 1
end)

-- close: the sale is over; what is free is returned, and so will be what is still held and not paid.
-- KEYS  sale, stream, then item, holders, owners, standby of each item   REPLY 1, or 0 for an unknown sale
redis.register_function('close_@VERSION@', function(keys)
  local sale = sale_of(keys[1])
  if not sale then return 0 end
  for first = 3, #keys, KEYS_PER_ITEM do
    local item = item_of(keys, first)
    if item then
      item.returned, item.free = item.returned + item.free, 0
      redis.call('DEL', item.standby)
      save_item(item)
    end
  end
  redis.call('HSET', keys[1], 'closed', 1)
  save_sale(keys[1], sale)
  news(sale)
  return 1
end)

-- status: one atomic look at a sale.
-- KEYS  sale, stream, then item, holders, owners, standby of each item
-- REPLY nil for an unknown sale, else {"now epoch seq phase opens_at closes_at standby_size pay_within paused",
--       then of each item "quantity free held paid returned standby" ("" for an unknown item)}
redis.register_function{ function_name = 'status_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  local sale = sale_of(keys[1])
  if not sale then return nil end
  local replies = { string.format('%d %d %d %s %d %d %d %d %d', sale.now, sale.epoch, sale.seq, phase_of(sale),
    sale.opens_at, sale.closes_at, sale.standby_size, sale.pay_within, sale.paused and 1 or 0) }
  for first = 3, #keys, KEYS_PER_ITEM do
    local item = item_of(keys, first)
    replies[#replies + 1] = item and string.format('%d %d %d %d %d %d', item.quantity, item.free, item.held,
      item.paid, item.returned, redis.call('ZCARD', item.standby)) or ''
  end
  return replies
end }

-- members: who holds, has paid or stands by, of one item.
-- KEYS  sale, stream, item, holders, owners, standby
-- REPLY {{user, "rid pay_by", ...}, {user, "rid pay_by count", ...}, {user, number, ...}}
redis.register_function{ function_name = 'members_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  return { redis.call('HGETALL', keys[4]), redis.call('HGETALL', keys[5]),
    redis.call('ZRANGE', keys[6], 0, -1, 'WITHSCORES') }
end }

-- place: what one user has of an item.
-- KEYS  sale, stream, item, holders, owners, standby   ARGS  user
-- REPLY "A rid pay_by" holds a unit, "S number position" is on standby, "P rid pay_by" has paid, "" nothing
redis.register_function{ function_name = 'place_@VERSION@', flags = { 'no-writes' }, callback = function(keys, args)
  local held = redis.call('HGET', keys[4], args[1])
  if held then return 'A ' .. held end
  local number = redis.call('ZSCORE', keys[6], args[1])
  if number then
    return string.format('S %d %d', tonumber(number), redis.call('ZRANK', keys[6], args[1]) + 1)
  end
  local owned = redis.call('HGET', keys[5], args[1])
  return owned and 'P ' .. string.match(owned, '^%S+ %S+') or ''
end }
