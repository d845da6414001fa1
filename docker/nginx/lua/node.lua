-- This node: what it was told at its start, and what every other module needs to know of a request.
local M = { settings = {} }

function M.set(settings) M.settings = settings end

local function escaped(name) return (name:gsub("[%-_.]", "%%%0")) end

--- The value of a cookie, or nil.
function M.cookie(name)
    local all = ngx.var.http_cookie
    return all and (";" .. all):match("[; ]" .. escaped(name) .. "=([^;]*)")
end

--- Whose pass this request carries, as it says itself: only the gate verifies it.
function M.user(pass)
    return pass and pass:match("^p%.%x+%.%d+%.(%d+)%.%d+%.%x+$")
end

local function digest(purpose, sale, user)
    return ngx.hmac_sha1(M.settings.key, purpose .. "." .. sale .. "." .. user)
end

--- What only this shop can have told a holder of this sale.
function M.held_mark(sale, user)
    return (digest("held", sale, user):gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

--- A shopper's lot in a sale, from 0 to 1: always the same, on every node, and nobody can compute his own.
function M.lot(sale, user)
    local a, b, c, d = digest("lot", sale, user):byte(1, 4)
    return (((a * 256 + b) * 256 + c) * 256 + d) / 4294967296
end

return M
