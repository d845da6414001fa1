-- The shared flag of each sale: four times a second one worker reads the gate's status document of every sale that is
-- asked for, and all workers refuse from what it says. A flag that is not renewed is gone after two seconds: a node
-- that cannot reach the gate's word forwards.
local http = require "http"
local node = require "node"

local M = {}
local sales = ngx.shared.sales
local EVERY, LIVES, WATCHED_FOR, AT_MOST = 0.25, 2, 600, 50

-- What this worker has read within the last twentieth of a second: a storm asks the shared memory twenty times, and
-- whoever invents sales fills nothing.
local read, fresh_until, FRESH = {}, 0, 0.05

local function look_up(key)
    local now = ngx.now()
    if now > fresh_until then read, fresh_until = {}, now + FRESH end
    local found = read[key]
    if found == nil then
        found = sales:get(key) or false
        read[key] = found
    end
    return found or nil
end

--- The word for an item of a sale ("sold_out", "ended"), or nil; and how far the store's clock is ahead (ms).
function M.word(sale, item) return look_up("item " .. sale .. " " .. item) end

function M.ahead(sale) return look_up("ahead " .. sale) or 0 end

--- Watch the sale of this request if the gate knows it. (The list of the watched is one key: it is short.)
function M.note()
    local status = ngx.var.upstream_status
    if status and status ~= "404" and status:find("^[1-4]") then sales:set("watch " .. ngx.var.sale, true, WATCHED_FOR) end
end

function M.watched()
    local found = {}
    for _, key in ipairs(sales:get_keys(0)) do
        local sale = key:match("^watch (%d+)$")
        if sale and #found < AT_MOST then found[#found + 1] = sale end
    end
    return found
end

local function learn(sale, document)
    local state, now = document:match('"state": "(%a+)"'), document:match('"now": (%d+)')
    if not (state and now) then return end
    sales:set("ahead " .. sale, tonumber(now) - ngx.now() * 1000, WATCHED_FOR)
    -- From this instant on (s) nobody who may be shed is counted as waiting only; a line is never shed: it has an order.
    local opens_at = document:match('"opens_at": (%d+)')
    local sheds = (state == "running" or state == "coming") and document:find('"queue": null', 1, true)
    sales:set("sheds " .. sale, sheds and (opens_at - tonumber(now)) / 1000 + ngx.now() or false, LIVES)
    for item, gone in document:gmatch('"item": (%d+),.-"sold_out": (%a+)') do
        local word = state == "ended" and "ended" or (state == "running" and gone == "true" and "sold_out")
        local key = "item " .. sale .. " " .. item
        if word then sales:set(key, word, LIVES) else sales:delete(key) end
    end
end

local function look(premature)
    if premature then return end
    for _, sale in ipairs(M.watched()) do
        local status, document = http.ask("GET", "/gate/sales/" .. sale)
        if status == 200 then learn(sale, document) end
    end
end

--- Begin, in one worker of the node.
function M.start()
    if ngx.worker.id() ~= 0 then return end
    ngx.timer.every(EVERY, look)
    if node.settings.sheds then ngx.timer.every(1, require("crowd").report) end
end

return M
