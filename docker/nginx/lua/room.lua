-- The page of those who wait because the gate has no room. It asks /edge/room now and then and goes on by itself; when
-- there is room again so many a second may go on, lest they all come at once.
local node = require "node"
local say = require "say"

local M = {}
local sales = ngx.shared.sales

function M.hold_newcomers()
    if not sales:get("busy") or ngx.req.get_method() ~= "GET" then return end
    local cookies = ngx.var.http_cookie or ""
    if cookies:find(node.settings.entered .. "-", 1, true) then return end
    return ngx.exec("@busy")
end

function M.answer()
    ngx.header["Cache-Control"] = "no-store"
    local second = "room " .. math.floor(ngx.now())
    if sales:get("busy") or sales:incr(second, 1, 0, 2) > node.settings.room_rate then
        ngx.header["Retry-After"] = 5
        ngx.status = 503
        return ngx.exit(ngx.HTTP_OK)
    end
    return ngx.exit(204)
end

return M
