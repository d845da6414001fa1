-- attempt: decide a batch of attempts in the order of their arrival (group commit).
-- KEYS  sale, stream, line, then item, holders, owners, standby of each item that the batch names, tries
-- ARGS  attempts per minute, number of items, one text with (index of the item, user) of each attempt
-- REPLY "now epoch seq phase", then one text an attempt:
--       "R rid pay_by"  reserved now            "A rid pay_by"  reserved before, the same again
--       "P rid pay_by"  paid before             "S number position"  on standby
--       "O" sold out   "N opens_at" not open    "E" ended   "U" paused   "X" no such item
--       "Q number turn_at ahead"  waits in line (number 0: lots are not drawn yet; turn_at 0: unknown)
--       "F" the line is full      "L retry_ms" too many attempts this minute
-- An unknown sale is paused, never sold out and never free: an empty store knows nothing.

local function tries_of(key, now, users)
  local minute = math.floor(now / 60000)
  local current = redis.call('HMGET', key .. minute, unpack(users))
  local before = redis.call('HMGET', key .. (minute - 1), unpack(users))
  local weight = 1 - (now % 60000) / 60000 -- sliding window: the last minute fades out
  local counts, rates = {}, {}
  for i, user in ipairs(users) do
    counts[user] = tonumber(current[i]) or 0
    rates[user] = math.floor((tonumber(before[i]) or 0) * weight)
  end
  return { now = now, key = key .. minute, counts = counts, rates = rates }
end

local function count_try(tries, user)
  tries.counts[user] = tries.counts[user] + 1
  return tries.counts[user] + tries.rates[user]
end

local function save_tries(tries)
  local fields = {}
  for user, count in pairs(tries.counts) do
    fields[#fields + 1] = user
    fields[#fields + 1] = count
  end
  redis.call('HSET', tries.key, unpack(fields))
  redis.call('EXPIRE', tries.key, 120)
end

-- What each user of the batch has of this item already: one call a kind, whatever the batch's size.
local function recall(item, users)
  item.held_by, item.owned_by, item.waits, item.place = {}, {}, {}, {}
  local held = redis.call('HMGET', item.holders, unpack(users))
  local owned = redis.call('HMGET', item.owners, unpack(users))
  local waits = redis.call('ZMSCORE', item.standby, unpack(users))
  item.standby_count = redis.call('ZCARD', item.standby)
  for i, user in ipairs(users) do
    item.held_by[user] = held[i] or nil
    item.owned_by[user] = owned[i] or nil
    item.waits[user] = waits[i] and tonumber(waits[i]) or nil
  end
  item.new_holders, item.new_standby, item.entries = {}, {}, {}
end

local function answer_again(item, user)
  if item.held_by[user] then return 'A ' .. item.held_by[user] end
  local owned = item.owned_by[user]
  if owned then
    local unit, count = string.match(owned, '^(%S+ %S+) (%d+)$')
    if tonumber(count) >= item.limit then return 'P ' .. unit end
  end
  if item.waits[user] then
    local place = item.place[user] or redis.call('ZRANK', item.standby, user) + 1
    return string.format('S %d %d', item.waits[user], place)
  end
  return nil
end

local function reserve(item, user, sale)
  local rid = next_ref(item, sale.epoch, 'number')
  local unit = string.format('%s %d', rid, sale.now + sale.pay_within)
  item.free, item.held = item.free - 1, item.held + 1
  item.is_news = item.free == 0
  item.held_by[user] = unit
  item.new_holders[#item.new_holders + 1] = user
  item.new_holders[#item.new_holders + 1] = unit
  item.entries[#item.entries + 1] = { 'reserved', user, rid, sale.now + sale.pay_within, 0 }
  return 'R ' .. unit
end

local function stand_by(item, user, sale)
  local ref = next_ref(item, sale.epoch, 'standby_number')
  item.standby_count = item.standby_count + 1
  item.waits[user], item.place[user] = item.standby_number, item.standby_count
  item.new_standby[#item.new_standby + 1] = item.standby_number
  item.new_standby[#item.new_standby + 1] = user
  item.entries[#item.entries + 1] = { 'standby', user, ref, 0, item.standby_number }
  return string.format('S %d %d', item.standby_number, item.standby_count)
end

-- Where all units are paid none can come free any more: there is no standby then, whatever places are left.
local function is_gone(item, sale)
  return item.free == 0 and (item.held == 0 or item.standby_count >= sale.standby_size)
end

local function decide(a, sale, phase, line)
  local item, user = a.item, a.user
  local again = answer_again(item, user)
  if again then return again end
  if phase == 'ended' then return 'E' end
  if phase == 'paused' then return 'U' end
  if phase == 'open' and is_gone(item, sale) then return 'O' end
  local waits = line and wait_for_turn(line, a.number, a.drawn_at)
  if waits then return waits end
  if phase == 'not_open' then return string.format('N %d', sale.opens_at) end
  if item.free > 0 then return reserve(item, user, sale) end
  return stand_by(item, user, sale)
end

local function write_item(item, stream, sale)
  for _, entry in ipairs(item.entries) do
    log(stream, entry[1], entry[2], entry[3], sale.now, entry[4], entry[5])
  end
  if #item.new_holders > 0 then redis.call('HSET', item.holders, unpack(item.new_holders)) end
  if #item.new_standby > 0 then redis.call('ZADD', item.standby, unpack(item.new_standby)) end
  if #item.entries > 0 then save_item(item) end
end

-- One table an attempt, in the order of arrival.
local function asked_of(text)
  local asked = {}
  for index, user in string.gmatch(text, '(%d+) (%d+)') do
    asked[#asked + 1] = { index = tonumber(index), user = user }
  end
  return asked
end

local function items_of_batch(keys, count, asked)
  local items, users, all = {}, {}, {}
  for i = 1, count do
    items[i] = item_of(keys, FIRST_ITEM + (i - 1) * KEYS_PER_ITEM) or false
    users[i] = {}
  end
  for position, one in ipairs(asked) do
    local of_item = users[one.index]
    of_item[#of_item + 1] = one.user
    all[position] = one.user
  end
  for i, item in ipairs(items) do
    if item then recall(item, users[i]) end
  end
  return items, all
end

-- Whoever needs no ticket: he has the item already, or nobody can have it any more.
local function needs_ticket(item, user, sale)
  return not is_gone(item, sale) and not answer_again(item, user)
end

-- The attempts that are to be decided, lower tickets first; those that are not get their reply here.
local function admitted(batch, line, sale, phase)
  local order = {}
  for position, a in ipairs(batch) do
    a.position, a.number = position, 0
    if not a.reply and line and needs_ticket(a.item, a.user, sale) then
      if take_ticket(line, sale, a.user) then
        a.number, a.drawn_at = number_of(line.key, sale, a.user, line.scores[a.user])
      else
        a.reply = 'F'
      end
    end
    if not a.reply then order[#order + 1] = a end
  end
  if line then
    table.sort(order, function(x, y)
      return x.number < y.number or (x.number == y.number and x.position < y.position)
    end)
  end
  return order
end

local function judge_tries(asked, items, tries, per_minute)
  for _, one in ipairs(asked) do
    one.item = items[one.index]
    if count_try(tries, one.user) > per_minute then
      one.reply = string.format('L %d', 60000 - tries.now % 60000)
    elseif not one.item then
      one.reply = 'X'
    end
  end
end

local function all_paused(asked)
  local replies = { '0 0 0 unknown' }
  for i in ipairs(asked) do replies[i + 1] = 'U' end
  return replies
end

local function write_all(keys, items, sale, line, tries) -- from here on only writes
  local is_news = false
  for _, item in ipairs(items) do
    if item then
      write_item(item, keys[2], sale)
      is_news = is_news or item.is_news or (#item.entries > 0 and is_gone(item, sale))
    end
  end
  if line then save_line(line) end
  save_tries(tries)
  save_sale(keys[1], sale)
  if is_news then news(sale) end
end

local function attempt(keys, args)
  local sale = sale_of(keys[1])
  local batch = asked_of(args[3])
  if not sale then return all_paused(batch) end
  local phase = phase_of(sale)
  local items, users = items_of_batch(keys, tonumber(args[2]), batch)
  local tries = tries_of(keys[#keys], sale.now, users)
  local line = line_of(keys[3], sale, phase, users)
  judge_tries(batch, items, tries, tonumber(args[1]))
  for _, a in ipairs(admitted(batch, line, sale, phase)) do
    a.reply = decide(a, sale, phase, line)
  end
  local replies = { string.format('%d %d %d %s', sale.now, sale.epoch, sale.seq + 1, phase) }
  for i, a in ipairs(batch) do replies[i + 1] = a.reply end
  write_all(keys, items, sale, line, tries)
  return replies
end

redis.register_function('attempt_@VERSION@', attempt)
