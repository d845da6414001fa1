-- Who is here, and shedding by lot. A node counts the shoppers of each sale who have not pressed yet: those with a live
-- stream now, or those seen within the last minute or two, whichever are more. It reports the number each second and
-- is told a chance; whoever's lot is above it is refused, and stays refused while the chance does not rise.
-- Only those are counted whose pass web or live has verified: a crowd of invented passes would lower the chance for
-- those who are real. A press is counted as it comes, for it takes somebody out of the crowd: that raises the chance.
-- Keys: s<sale>.<user> the window in which he was seen last; p<sale>.<user> he has pressed; o<sale>.<user> his streams;
-- S<sale>.<window>, O<sale>: the counts. A shopper is counted once, in the window in which he was seen last.
local http = require "http"
local node = require "node"

local M = {}
local crowd = ngx.shared.crowd
local WINDOW, LIVES, CHANCE_LIVES = 60, 3600, 3

local function window() return math.floor(ngx.now() / WINDOW) end

local function count(key, by) crowd:incr(key, by, 0, LIVES) end

local function see(sale, user)
    local mine, now, key = sale .. "." .. user, window(), "s" .. sale .. "." .. user
    if crowd:get("p" .. mine) then return end
    local before = crowd:get(key)
    if before == now then return end
    if before then count("S" .. sale .. "." .. before, -1) end
    crowd:set(key, now, LIVES)
    count("S" .. sale .. "." .. now, 1)
end

local function press(sale, user)
    local mine = sale .. "." .. user
    if not crowd:add("p" .. mine, true, LIVES) then return end
    local seen = crowd:get("s" .. mine)
    if seen then count("S" .. sale .. "." .. seen, -1) end
    if (crowd:get("o" .. mine) or 0) > 0 then count("O" .. sale, -1) end
    count("P" .. sale, 1)
end

--- Count a press, and tell whether it is refused by lot. Without a word from the centre everybody is forwarded.
function M.sheds(sale, user)
    local opens_at = user and ngx.shared.sales:get("sheds " .. sale)
    if not opens_at or ngx.now() < opens_at then return false end
    press(sale, user)
    local chance = ngx.shared.sales:get("chance " .. sale)
    return chance ~= nil and node.lot(sale, user) >= chance
end

--- A page of a sale was shown; web says of which sale and to whom, if he was let in.
function M.page_seen()
    if not node.settings.sheds then return end
    local sale, user = (ngx.var.upstream_http_x_entered or ""):match("^(%d+)%.(%d+)$")
    if sale then see(sale, user) end
end

--- Live has verified the pass and lets him listen.
function M.stream_opens()
    local user = node.settings.sheds and ngx.status == 200 and node.user(ngx.var.pass)
    if not user then return end
    local sale = ngx.var.sale
    see(sale, user)
    ngx.ctx.streams = "o" .. sale .. "." .. user
    local number = crowd:incr(ngx.ctx.streams, 1, 0, LIVES)
    if number == 1 and not crowd:get("p" .. sale .. "." .. user) then count("O" .. sale, 1) end
end

function M.stream_closes()
    require("watch").note()
    local key = ngx.ctx.streams
    if not key then return end
    local left = crowd:incr(key, -1, 0)
    if left == 0 and not crowd:get("p" .. key:sub(2)) then count("O" .. ngx.var.sale, -1) end
end

local function waiting(sale)
    local now = window()
    local seen = (crowd:get("S" .. sale .. "." .. now) or 0) + (crowd:get("S" .. sale .. "." .. now - 1) or 0)
    return math.max(seen, crowd:get("O" .. sale) or 0)
end

--- Tell the centre and hear its chances; a chance that is not renewed is forgotten.
function M.report(premature)
    if premature then return end
    local lines = { node.settings.name }
    for _, sale in ipairs(require("watch").watched()) do
        lines[#lines + 1] = ("%s %d %d"):format(sale, waiting(sale), crowd:get("P" .. sale) or 0)
    end
    if #lines == 1 then return end
    local status, answer = http.ask("POST", "/edge/report", table.concat(lines, "\n"))
    if status ~= 200 then return end
    for sale, chance in answer:gmatch("(%d+) ([%d.e+-]+)") do
        ngx.shared.sales:set("chance " .. sale, tonumber(chance), CHANCE_LIVES)
    end
end

return M
