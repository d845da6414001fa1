-- The constant request at the price of an attempt to the client: a line read from a file and a request built for
-- each one, status and body of every answer looked at. Arguments after `--`: path, host, cookie, files.

local threads = 0
dofile(debug.getinfo(1, "S").source:match("^@(.*)checked.lua$") .. "constant.lua")

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  passes = assert(io.open(args[4] .. "." .. number))
  head = "GET " .. args[1] .. " HTTP/1.1\r\nHost: " .. args[2]
    .. "\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nCookie: " .. args[3] .. "="
  tail, kinds = "\r\n\r\n", {}
end

function request()
  local pass = passes:read("*l")
  if not pass then
    passes:seek("set")
    pass = passes:read("*l")
  end
  return head .. pass .. tail
end

function response(status, _, body)
  local kind = status .. " " .. (body:match('^{"([%a_]+)"') or "none")
  kinds[kind] = (kinds[kind] or 0) + 1
end
