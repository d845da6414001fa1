-- load: write a sale as PostgreSQL knows it, or, at the same epoch, only its settings.
-- KEYS  sale, stream, line, then item, holders, owners, standby of each item
-- ARGS  a JSON document: {id, epoch, opens_at, closes_at, paused, notice, closed, pay_within, standby_size,
--         rate (-1 for none), queue_limit (-1 for none), tie_band, lots_at_open, line_key, items: [
--         {id, quantity, paid, returned, limit, number, standby_number,
--          holders: [[user, "rid pay_by"], ...], owners: [[user, "rid pay_by count"], ...],
--          standby: [[user, number], ...]}, ...]}
-- REPLY "loaded", "updated" (same epoch), or "old" (the store has or awaits a later epoch: nothing is changed)

local function write_settings(keys, doc, sale)
  sale.opens_at, sale.rate, sale.paused = doc.opens_at, doc.rate, doc.paused
  set_pace(sale, redis.call('ZCARD', keys[3]))
  redis.call('HSET', keys[1], 'opens_at', string.format('%d', doc.opens_at),
    'closes_at', string.format('%d', doc.closes_at), 'paused', doc.paused and 1 or 0, 'notice', doc.notice,
    'closed', doc.closed and 1 or 0, 'pay_within', doc.pay_within, 'standby_size', doc.standby_size,
    'rate', doc.rate, 'schedule', sale.schedule, 'queue_limit', doc.queue_limit, 'tie_band', doc.tie_band,
    'lots_at_open', doc.lots_at_open and 1 or 0, 'line_key', doc.line_key)
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

-- What was given away and lost with the old store is free now: it is theirs who stand by, before anybody else's.
local function promote_all(keys, first)
  local sale, item = sale_of(keys[1]), item_of(keys, first)
  if phase_of(sale) == 'ended' then return end
  for _ = 1, math.min(item.free, redis.call('ZCARD', item.standby)) do
    item.free, item.held = item.free - 1, item.held + 1
    promote(keys, sale, item)
  end
  save_item(item)
end

redis.register_function('load_@VERSION@', function(keys, args)
  local doc = cjson.decode(args[1])
  local sale = sale_of(keys[1])
  local fence = tonumber(redis.call('HGET', keys[1], 'fence') or 0)
  if math.max(fence, sale and sale.epoch or 0) > doc.epoch then return 'old' end
  if sale and sale.epoch == doc.epoch then
    write_settings(keys, doc, sale)
    save_sale(keys[1], sale)
    news(sale)
    return 'updated'
  end
  for i, item in ipairs(doc.items) do write_item_from(keys, FIRST_ITEM + (i - 1) * KEYS_PER_ITEM, item) end
  local ids = {}
  for i, item in ipairs(doc.items) do ids[i] = item.id end
  redis.call('HSET', keys[1], 'id', doc.id, 'epoch', doc.epoch, 'seq', 1, 'items', table.concat(ids, ' '),
    'last_now', string.format('%d', sale and sale.now or 0))
  write_settings(keys, doc, sale or { now = store_time(), schedule = '' })
  redis.pcall('XGROUP', 'CREATE', keys[2], 'orders', '0', 'MKSTREAM') -- it may be there from the last epoch
  for i = 1, #doc.items do promote_all(keys, FIRST_ITEM + (i - 1) * KEYS_PER_ITEM) end
  redis.call('PUBLISH', 'fs:news', doc.id)
  return 'loaded'
end)

-- fence: the sale is to be built anew under this epoch. Until that or a later one is loaded nothing is given away,
-- whoever resumes the sale, and no older one is loaded. It is put up where the store knows nothing, too.
-- KEYS  sale, stream, line   ARGS  epoch   REPLY 1
redis.register_function('fence_@VERSION@', function(keys, args)
  local fence = tonumber(redis.call('HGET', keys[1], 'fence') or 0)
  redis.call('HSET', keys[1], 'fence', string.format('%d', math.max(fence, tonumber(args[1]))))
  return 1
end)

-- pace: pause (nobody reserves until it is resumed; deadlines and payments go on), resume, or change the rate.
-- KEYS  sale, stream, line
-- ARGS  1 to pause, 0 to resume, "" to leave that; tickets a second, -1 for no limit, "" to leave that;
--       what is said of the pause (kept until the next one of them)
-- REPLY 1, or 0 for an unknown sale
redis.register_function('pace_@VERSION@', function(keys, args)
  local sale = sale_of(keys[1])
  if not sale then return 0 end
  if args[1] ~= '' then sale.paused = args[1] == '1' end
  sale.rate = tonumber(args[2]) or sale.rate
  set_pace(sale, redis.call('ZCARD', keys[3]))
  redis.call('HSET', keys[1], 'paused', sale.paused and 1 or 0, 'rate', sale.rate)
  if args[1] ~= '' then redis.call('HSET', keys[1], 'notice', args[3]) end
  save_sale(keys[1], sale)
  news(sale)
  return 1
end)

-- close: the sale is over; what is free is returned, and so will be what is still held and not paid.
-- KEYS  sale, stream, line, then item, holders, owners, standby of each item   REPLY 1, or 0 for an unknown sale
redis.register_function('close_@VERSION@', function(keys)
  local sale = sale_of(keys[1])
  if not sale then return 0 end
  for first = FIRST_ITEM, #keys, KEYS_PER_ITEM do
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
-- KEYS  sale, stream, line, then item, holders, owners, standby of each item
-- REPLY nil for an unknown sale, else {"now epoch seq phase opens_at closes_at standby_size pay_within paused",
--       "tickets rate queue_limit tie_band lots_at_open line_key;schedule",
--       what is said of the pause ("" for nothing),
--       then of each item "quantity free held paid returned standby" ("" for an unknown item)}
redis.register_function{ function_name = 'status_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  local sale = sale_of(keys[1])
  if not sale then return nil end
  local replies = {
    string.format('%d %d %d %s %d %d %d %d %d', sale.now, sale.epoch, sale.seq, phase_of(sale), sale.opens_at,
      sale.closes_at, sale.standby_size, sale.pay_within, sale.paused and 1 or 0),
    string.format('%d %d %d %d %d %s;%s', redis.call('ZCARD', keys[3]), sale.rate, sale.queue_limit,
      sale.tie_band, sale.lots_at_open and 1 or 0, sale.line_key, sale.schedule),
    redis.call('HGET', keys[1], 'notice') or '',
  }
  for first = FIRST_ITEM, #keys, KEYS_PER_ITEM do
    local item = item_of(keys, first)
    replies[#replies + 1] = item and string.format('%d %d %d %d %d %d', item.quantity, item.free, item.held,
      item.paid, item.returned, redis.call('ZCARD', item.standby)) or ''
  end
  return replies
end }

-- members: who holds, has paid or stands by, of one item.
-- KEYS  sale, stream, line, item, holders, owners, standby
-- REPLY {{user, "rid pay_by", ...}, {user, "rid pay_by count", ...}, {user, number, ...}}
redis.register_function{ function_name = 'members_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  return { redis.call('HGETALL', keys[5]), redis.call('HGETALL', keys[6]),
    redis.call('ZRANGE', keys[7], 0, -1, 'WITHSCORES') }
end }

-- users: who holds, has paid or stands by, of one item, and nothing else of them: every gate asks for it after each
-- change of a sale that is sold out, and the sale's one thread stands still meanwhile.
-- KEYS  sale, stream, line, item, holders, owners, standby   REPLY the users in one text
redis.register_function{ function_name = 'users_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  return table.concat({ table.concat(redis.call('HKEYS', keys[5]), ' '),
    table.concat(redis.call('HKEYS', keys[6]), ' '), table.concat(redis.call('ZRANGE', keys[7], 0, -1), ' ') }, ' ')
end }

-- standby: who stands by for one item, in order.
-- KEYS  sale, stream, line, item, holders, owners, standby   REPLY the users
redis.register_function{ function_name = 'standby_@VERSION@', flags = { 'no-writes' }, callback = function(keys)
  return redis.call('ZRANGE', keys[7], 0, -1)
end }

-- line: tickets in their order, from rank `start` on, at most `count`.
-- KEYS  sale, stream, line   ARGS  start, count   REPLY {user, score, ...}
redis.register_function{ function_name = 'line_@VERSION@', flags = { 'no-writes' }, callback = function(keys, args)
  return redis.call('ZRANGE', keys[3], args[1], args[1] + args[2] - 1, 'WITHSCORES')
end }

local function place_text(keys, first, user)
  local held = redis.call('HGET', keys[first + 1], user)
  if held then return 'A ' .. held end
  local number = redis.call('ZSCORE', keys[first + 3], user)
  if number then
    return string.format('S %d %d', tonumber(number), redis.call('ZRANK', keys[first + 3], user) + 1)
  end
  local owned = redis.call('HGET', keys[first + 2], user)
  return owned and 'P ' .. string.match(owned, '^%S+ %S+') or ''
end

-- own: what each of some users has: his ticket, and of each item his unit or his place on standby.
-- KEYS  sale, stream, line, then item, holders, owners, standby of each item   ARGS  users
-- REPLY for each user {"number turn_at" of his ticket or "", then of each item "A rid pay_by" holds a unit,
--       "S number position" is on standby, "P rid pay_by" has paid, "" nothing}
redis.register_function{ function_name = 'own_@VERSION@', flags = { 'no-writes' }, callback = function(keys, args)
  local sale = sale_of(keys[1])
  local replies = {}
  for i, user in ipairs(args) do
    local score = redis.call('ZSCORE', keys[3], user)
    local own = { sale and ticket_text(keys[3], sale, user, score) or '' }
    for first = FIRST_ITEM, #keys, KEYS_PER_ITEM do own[#own + 1] = place_text(keys, first, user) end
    replies[i] = own
  end
  return replies
end }

-- resize: an item has so many units in all. New ones go to standby first, in the same step; what is taken away
-- is taken from what is free, and never more than that.
-- KEYS  sale, stream, line, item, holders, owners, standby   ARGS  units in all, units that the caller saw
-- REPLY the units it has now (more than asked for where they are not free), -1 for an unknown item,
--       -2 if the caller saw something else than is there: then nothing was changed
-- Safe to run twice: the number is absolute.
redis.register_function('resize_@VERSION@', function(keys, args)
  local sale = open_sale_of(keys[1])
  local item = sale and item_of(keys, FIRST_ITEM)
  if not item then return -1 end
  if tonumber(args[2]) ~= item.quantity then return -2 end
  local more = math.max(tonumber(args[1]) - item.quantity, -item.free)
  local promoted = 0
  if phase_of(sale) ~= 'ended' then promoted = math.max(0, math.min(more, redis.call('ZCARD', item.standby))) end
  item.quantity, item.held = item.quantity + more, item.held + promoted
  local unit = sale.closed and 'returned' or 'free' -- a sale that ended meanwhile sells nothing more
  item[unit] = item[unit] + more - promoted
  for _ = 1, promoted do promote(keys, sale, item) end
  redis.call('HSET', item.key, 'quantity', item.quantity)
  save_item(item)
  save_sale(keys[1], sale)
  news(sale)
  return item.quantity
end)

-- count: attempts that were answered, by outcome, and who made them; for the operators' figures only.
-- KEYS  sale, stream, line, flow, seen, each
-- ARGS  (outcome, count) of each outcome, then all users in one text
-- REPLY 1, or 0 for an unknown sale
-- How often one shopper attempted is counted for some 2,000 shoppers at most: whenever there are more, every second
-- one of them is forgotten, and only those of the others are counted from then on. So it stays a fair sample of all.
local COUNTED = 2000

local function count_each(key, users)
  local every = tonumber(redis.call('HGET', key, 'every') or 1)
  for _, user in ipairs(users) do
    if tonumber(user) % every == 0 then redis.call('HINCRBY', key, user, 1) end
  end
  while redis.call('HLEN', key) > COUNTED + 1 do
    every = every * 2
    for _, user in ipairs(redis.call('HKEYS', key)) do
      if user ~= 'every' and tonumber(user) % every ~= 0 then redis.call('HDEL', key, user) end
    end
    redis.call('HSET', key, 'every', every)
  end
end

redis.register_function('count_@VERSION@', function(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then return 0 end
  for a = 1, #args - 1, 2 do redis.call('HINCRBY', keys[4], args[a], args[a + 1]) end
  local users = {}
  for user in string.gmatch(args[#args], '%d+') do users[#users + 1] = user end
  for first = 1, #users, 1000 do
    redis.call('PFADD', keys[5], unpack(users, first, math.min(first + 999, #users)))
  end
  count_each(keys[6], users)
  return 1
end)

-- flow: what was counted.   KEYS  sale, stream, line, flow, seen, each
-- REPLY {shoppers (estimated, within 1 %), {how many of the sample attempted once, twice, 3, 4 to 5, 6 to 10, 11 to
--        30 times, more often}, outcome, count, ...}
local UP_TO = { 1, 2, 3, 5, 10, 30 }

local function tries_each(key)
  local found = { 0, 0, 0, 0, 0, 0, 0 }
  local pairs_of = redis.call('HGETALL', key)
  for a = 1, #pairs_of, 2 do
    if pairs_of[a] ~= 'every' then
      local group = 1
      while UP_TO[group] and tonumber(pairs_of[a + 1]) > UP_TO[group] do group = group + 1 end
      found[group] = found[group] + 1
    end
  end
  return found
end

redis.register_function('flow_@VERSION@', function(keys)
  local counted = redis.call('HGETALL', keys[4])
  table.insert(counted, 1, redis.call('PFCOUNT', keys[5]))
  table.insert(counted, 2, tries_each(keys[6]))
  return counted
end)

-- forget: remove a rehearsal, whole.
-- KEYS  sale, stream, line, flow, seen, each, then item, holders, owners, standby of each item   REPLY keys removed
redis.register_function('forget_@VERSION@', function(keys) return redis.call('UNLINK', unpack(keys)) end)
