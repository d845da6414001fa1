-- The queue: one ticket a shopper, served by a schedule that everybody can compute (docs/queue.md).
-- `sale.schedule` is text, "start base rate" of each segment, joined by ";"; empty where there is no queue.

local UNLIMITED = -1
local SEGMENTS_KEPT = 16
local LOT = 4294967296 -- 2^32: scores below it are numbers in order of arrival, above it they are lots

local function last_segment(sale)
  local start, base, rate = string.match(sale.schedule, '(%d+) (%d+) (%-?%d+)$')
  if not start then return nil end
  return { start = tonumber(start), base = tonumber(base), rate = tonumber(rate) }
end

local function served(segment, at)
  if at < segment.start then return 0 end
  if segment.rate == UNLIMITED then return math.huge end
  return segment.base + math.floor((at - segment.start) * segment.rate / 1000)
end

local function turn_at(segment, number)
  if segment.rate == UNLIMITED or number <= segment.base then return segment.start end
  if segment.rate == 0 then return 0 end
  return segment.start + math.ceil((number - segment.base) * 1000 / segment.rate)
end

local function segment_text(start, base, rate)
  return string.format('%d %d %d', start, base, rate)
end

local function append_segment(sale, text)
  local kept = { text }
  for old in string.gmatch(sale.schedule, '[^;]+') do table.insert(kept, #kept, old) end
  while #kept > SEGMENTS_KEPT do table.remove(kept, 1) end
  sale.schedule = table.concat(kept, ';')
end

local function replace_segment(sale, text)
  sale.schedule = string.gsub(sale.schedule, '[^;]+$', text)
end

-- A burst of one second's tickets is served at once.
local function burst(sale) return math.max(sale.rate, 0) end

-- The rate or the pause has changed: from now on the schedule goes on where it stands, so that no ticket
-- overtakes another. Before the opening there is one segment only, which begins with it; a sale that an operator
-- opens before its time has one that begins too late.
local function set_pace(sale, tickets)
  local rate = sale.rate ~= UNLIMITED and sale.paused and 0 or sale.rate
  local segment = last_segment(sale)
  if rate == UNLIMITED and not segment then return end
  local reached = segment and math.min(served(segment, sale.now), tickets + burst(sale)) or 0
  if sale.now < sale.opens_at or (segment and segment.start > sale.now) then
    sale.schedule = segment_text(sale.opens_at, math.max(reached, burst(sale)), rate)
  elseif not segment then
    append_segment(sale, segment_text(sale.now, tickets + burst(sale), rate))
  elseif rate ~= segment.rate then
    append_segment(sale, segment_text(sale.now, reached, rate))
  end
end

-- Where nobody waits, capacity does not pile up. No ticket is concerned: all of them have been served.
local function forget_idle_time(sale, segment, tickets)
  local most = tickets + burst(sale)
  if segment.rate <= 0 or served(segment, sale.now) <= most then return segment end
  replace_segment(sale, segment_text(sale.now, most, segment.rate))
  return last_segment(sale)
end

local function lot(sale, user)
  return tonumber(string.sub(redis.sha1hex(sale.line_key .. ':' .. user), 1, 8), 16)
end

local function first_lot_of_band(sale)
  return (math.floor((sale.now - sale.opens_at) / sale.tie_band) + 1) * LOT
end

-- What is needed of the line to decide a batch; nil where nobody needs a ticket now.
local function line_of(key, sale, phase, users)
  local segment = last_segment(sale)
  if not segment or segment.rate == UNLIMITED then return nil end
  if phase ~= 'open' and not (phase == 'not_open' and sale.lots_at_open) then return nil end
  local line = { key = key, tickets = redis.call('ZCARD', key), scores = {}, new = {} }
  if phase == 'open' then segment = forget_idle_time(sale, segment, line.tickets) end
  line.segment, line.served = segment, phase == 'open' and served(segment, sale.now) or 0
  line.open_band = phase == 'open' and sale.tie_band > 0 and first_lot_of_band(sale) or nil
  local scores = redis.call('ZMSCORE', key, unpack(users))
  for i, user in ipairs(users) do line.scores[user] = scores[i] and tonumber(scores[i]) or nil end
  return line
end

local function new_score(line, sale, user)
  if sale.now < sale.opens_at then return lot(sale, user) - 2 * LOT end
  if line.open_band then return line.open_band + lot(sale, user) end
  return line.tickets
end

-- Give a ticket to whoever has none; false where the line is full.
local function take_ticket(line, sale, user)
  if line.scores[user] then return true end
  if sale.queue_limit >= 0 and line.tickets - line.served >= sale.queue_limit then return false end
  line.tickets = line.tickets + 1
  local score = new_score(line, sale, user)
  line.scores[user] = score
  line.new[#line.new + 1] = string.format('%d', score)
  line.new[#line.new + 1] = user
  return true
end

-- The number of a score; and, where the lots of its band are not drawn yet, 0 and the instant of the draw.
-- Nobody who comes later can get a score below those of a band that is over: a rank never changes then.
local function number_of(key, sale, user, score)
  if score > 0 and score < LOT then return score end
  local drawn_at = sale.opens_at
  if score > 0 then drawn_at = drawn_at + math.floor(score / LOT) * sale.tie_band end
  if sale.now < drawn_at then return 0, drawn_at end
  return redis.call('ZRANK', key, user) + 1
end

-- The reply that tells a place, nil if it is this ticket's turn.
local function wait_for_turn(line, number, drawn_at)
  if number > 0 and number <= line.served then return nil end
  local ahead = math.max(0, (number > 0 and number - 1 or line.tickets) - line.served)
  return string.format('Q %d %d %d', number, drawn_at or turn_at(line.segment, number), ahead)
end

local function save_line(line)
  if #line.new > 0 then redis.call('ZADD', line.key, unpack(line.new)) end
end

-- "number turn_at" of a user's ticket, "" for none
local function ticket_text(key, sale, user, score)
  local segment = last_segment(sale)
  if not score or not segment then return '' end
  local number, drawn_at = number_of(key, sale, user, tonumber(score))
  return string.format('%d %d', number, drawn_at or turn_at(segment, number))
end
