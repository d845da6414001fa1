-- One question of the node itself, through its own socket, on which nginx finds gate and web as it does for everybody.
local node = require "node"

local M = {}
local TIMEOUT = 1500

--- Ask once and return status and body; nil where nobody answers.
function M.ask(method, path, body)
    local socket = ngx.socket.tcp()
    socket:settimeout(TIMEOUT)
    if not socket:connect(node.settings.socket) then return nil end
    body = body or ""
    local head = { method .. " " .. path .. " HTTP/1.0", "Host: " .. node.settings.host, "Content-Length: " .. #body }
    if method == "POST" then head[#head + 1] = "Authorization: Bearer " .. node.settings.key end
    socket:send(table.concat(head, "\r\n") .. "\r\n\r\n" .. body)
    local answer = socket:receive("*a")
    socket:close()
    local status, text = (answer or ""):match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
    return tonumber(status), text
end

return M
