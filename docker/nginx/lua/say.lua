-- The edge's own answers: JSON for scripts, small pages for people. Nobody may keep them.
local M = {}
local pages = {}

for _, language in ipairs({ "en", "zh-hans" }) do
    pages[language] = {}
    for _, name in ipairs({ "busy", "429", "503" }) do
        local file = assert(io.open(ngx.config.prefix() .. "pages/" .. name .. "." .. language .. ".html"))
        pages[language][name] = file:read("*a")
        file:close()
    end
end

local function finish(status, kind, body, retry)
    ngx.status = status
    ngx.header["Content-Type"] = kind
    ngx.header["Content-Length"] = #body
    ngx.header["Cache-Control"] = "no-store"
    if retry then ngx.header["Retry-After"] = retry end
    ngx.print(body)
    return ngx.exit(ngx.HTTP_OK)
end

--- An outcome, as the gate would say it; `now` in ms.
function M.json(status, outcome, retry, now)
    now = now or math.floor(ngx.now() * 1000)
    local hint = retry and (', "retry_after": ' .. retry) or ""
    local body = ('{"outcome": "%s", "now": %.0f%s}'):format(outcome, now, hint)
    return finish(status, "application/json", body, retry)
end

--- A page of the edge; it loads nothing but the edge's own two files.
function M.page(status, retry, name)
    ngx.header["Content-Security-Policy"] = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
    ngx.header["Vary"] = "Cookie, Accept-Language"
    local page = pages[ngx.var.page_language][name or tostring(status)]
    return finish(status, "text/html; charset=utf-8", page, retry)
end

return M
