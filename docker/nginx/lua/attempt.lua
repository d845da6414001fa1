-- An attempt at the edge: refused if the sale is over for whoever asks, else forwarded.
-- Whoever holds a unit, a place or a ticket is always forwarded: a cookie that only we can write says so.
local crowd = require "crowd"
local node = require "node"
local say = require "say"
local watch = require "watch"

local M = {}
local sales = ngx.shared.sales

local function holds(sale, user)
    local mark = user and node.cookie(node.settings.held)
    return mark ~= nil and mark == node.held_mark(sale, user)
end

local function is_marked()
    local cookies = ngx.var.http_cookie
    return cookies ~= nil and cookies:find(node.settings.held, 1, true) ~= nil
end

--- "sold_out" or "ended" if whoever asks is refused here, else an empty text.
function M.word()
    if ngx.req.get_method() ~= "POST" then return "" end
    local var = ngx.var
    local sale = var.sale
    local word = watch.word(sale, var.item)
    if not word and not node.settings.sheds then return "" end
    if (not word or is_marked()) then
        local user = node.user(var.pass)
        if holds(sale, user) then return "" end
        if not word then word = crowd.sheds(sale, user) and "sold_out" or "" end
    end
    if word ~= "" then var.told_at = ("%.0f"):format(ngx.now() * 1000 + watch.ahead(sale)) end
    return word
end

--- The gate has verified the pass of whoever it gave something: from now on he is forwarded on every node.
function M.remember()
    local status, told = ngx.status, ngx.var.upstream_status
    if not told or status < 200 or status > 202 then return end
    local sale, user = ngx.var.sale, node.user(ngx.var.pass)
    if not user or holds(sale, user) then return end
    local cookie = node.settings.held .. "=" .. node.held_mark(sale, user) .. "; Path=/gate/sales/" .. sale .. "/"
    ngx.header["Set-Cookie"] = cookie .. "; Max-Age=86400; HttpOnly; SameSite=Strict" .. node.settings.secure
end

--- A gate that is full says so in its answer: newcomers wait at the edge for a while.
function M.read()
    if ngx.status == 503 and (ngx.arg[1] or ""):find('"full"', 1, true) then sales:set("busy", true, 2) end
end

function M.note()
    if ngx.var.upstream_status then watch.note() end
end

function M.full()
    sales:set("busy", true, 2)
    return say.json(503, "full", math.random(1, 3))
end

return M
