-- Common KEYS of this file: sale, stream, line, item, holders, owners, standby.

local function one_item(keys)
  local sale = open_sale_of(keys[1])
  local item = sale and item_of(keys, FIRST_ITEM)
  return sale, item
end

local function holds(item, user, rid)
  local unit = redis.call('HGET', item.holders, user)
  return unit and string.match(unit, '^%S+') == rid and unit
end

local function promote(keys, sale, item)
  local first = redis.call('ZPOPMIN', item.standby)
  local user, rid = first[1], next_ref(item, sale.epoch, 'number')
  local pay_by = sale.now + sale.pay_within
  redis.call('HSET', item.holders, user, string.format('%s %d', rid, pay_by))
  log(keys[2], 'promoted', user, rid, sale.now, pay_by, first[2])
  return user
end

-- release: a unit that was not paid goes to the first on standby, in the same step, or becomes free.
-- ARGS  user, rid
-- REPLY "gone" (this reservation was released or paid before), "free", "returned" (the sale is over),
--       or the user to whom it went
-- Safe to run twice: the second time the shopper no longer holds this rid.
redis.register_function('release_@VERSION@', function(keys, args)
  local sale, item = one_item(keys)
  if not item or not holds(item, args[1], args[2]) then return 'gone' end
  local over = phase_of(sale) == 'ended'
  local waiting = redis.call('ZCARD', item.standby)
  redis.call('HDEL', item.holders, args[1])
  local reply = 'free'
  if not over and waiting > 0 then
    reply = promote(keys, sale, item)
  elseif sale.closed then
    item.held, item.returned, reply = item.held - 1, item.returned + 1, 'returned'
  else
    item.held, item.free = item.held - 1, item.free + 1
  end
  save_item(item)
  save_sale(keys[1], sale)
  news(sale)
  return reply
end)

-- pay: the unit is the shopper's for good; with the last one standby is over.
-- ARGS  user, rid
-- REPLY 1, or 0 where this reservation is not held (paid before, or released)
redis.register_function('pay_@VERSION@', function(keys, args)
  local sale, item = one_item(keys)
  local unit = item and holds(item, args[1], args[2])
  if not unit then return 0 end
  local owned = redis.call('HGET', item.owners, args[1])
  local count = owned and tonumber(string.match(owned, '(%d+)$')) or 0
  item.held, item.paid = item.held - 1, item.paid + 1
  redis.call('HDEL', item.holders, args[1])
  redis.call('HSET', item.owners, args[1], string.format('%s %d', unit, count + 1))
  save_item(item)
  save_sale(keys[1], sale)
  if item.free == 0 and item.held == 0 then
    redis.call('DEL', item.standby)
    news(sale)
  end
  return 1
end)

-- leave: a shopper gives up his place on standby.
-- ARGS  user
-- REPLY 1, or 0 where he was not on standby
redis.register_function('leave_@VERSION@', function(keys, args)
  local sale, item = one_item(keys)
  local number = item and redis.call('ZSCORE', item.standby, args[1])
  if not number then return 0 end
  log(keys[2], 'left', args[1], string.format('%s-%d-%d', item.id, sale.epoch, number), sale.now, 0, number)
  redis.call('ZREM', item.standby, args[1])
  save_sale(keys[1], sale)
  news(sale)
  return 1
end)
