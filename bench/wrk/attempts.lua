-- Sends every pass of its file exactly once and counts the answers by status and outcome.
-- Arguments after `--`: path of the attempt, host, name of the pass cookie, files (one a thread: FILES.1,
-- FILES.2, ...), path of something constant; with `again` as the last one it starts over at the end of the
-- file and goes on until wrk's time is up.
--
-- A thread that has sent its last pass keeps its other connections busy with the constant request until
-- every attempt is answered, says so ("DONE") and stops; who started wrk then ends it.

local ffi = require("ffi")
ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]])
local time = ffi.new("bench_time")
local threads = {}

local function now() -- seconds since 1970
  ffi.C.clock_gettime(0, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("number", #threads)
end

function init(args)
  passes = assert(io.open(args[4] .. "." .. number))
  head = "POST " .. args[1] .. " HTTP/1.1\r\nHost: " .. args[2]
    .. "\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nCookie: " .. args[3] .. "="
  tail = "\r\n\r\n"
  filler = "GET " .. args[5] .. " HTTP/1.1\r\nHost: " .. args[2] .. "\r\n\r\n"
  sent, answered, kinds, started, ended, is_done = 0, 0, {}, 0, 0, false
  again = args[6] == "again"
  is_rehearsal = number == 1 -- wrk asks the first thread for one request that it never sends
end

function request()
  if is_rehearsal then
    is_rehearsal = false
    return filler
  end
  local pass = passes and passes:read("*l")
  if not pass and again then
    passes:seek("set")
    pass = passes:read("*l")
  end
  if not pass then
    passes = nil
    return filler
  end
  if sent == 0 then started = now() end
  sent = sent + 1
  return head .. pass .. tail
end

function response(status, _, body)
  local outcome = body:match('^{"outcome": ?"([%a_]+)"')
  if outcome or status ~= 200 then -- else it is the constant answer
    local kind = status .. " " .. (outcome or "none")
    kinds[kind] = (kinds[kind] or 0) + 1
    answered = answered + 1
    if answered == sent then ended = now() end
  end
  -- The last attempt may be answered before anybody has found the file at its end: the next answer tells.
  if not passes and answered == sent and not is_done then
    is_done = true
    io.write("DONE\n")
    io.flush()
    wrk.thread:stop()
  end
end

local function told(latency)
  local points = {}
  for _, p in ipairs({ 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99 }) do
    points[#points + 1] = string.format('"%s": %.3f', p, latency:percentile(p) / 1000)
  end
  return table.concat(points, ", ")
end

function done(summary, latency)
  local sum, answers, total, first, last, is_cut = {}, {}, 0, math.huge, 0, false
  for _, thread in ipairs(threads) do
    for kind, count in pairs(thread:get("kinds")) do sum[kind] = (sum[kind] or 0) + count end
    total = total + thread:get("sent")
    if thread:get("sent") > 0 then first = math.min(first, thread:get("started")) end
    last = math.max(last, thread:get("ended"))
    is_cut = is_cut or not thread:get("is_done")
  end
  for kind, count in pairs(sum) do answers[#answers + 1] = string.format('"%s": %d', kind, count) end
  local e = summary.errors
  io.write(string.format(
    'RESULT {"sent": %d, "answers": {%s}, "started_at": %.6f, "ended_at": %.6f, "errors": %d, '
      .. '"max_ms": %.3f, "percentiles": {%s}}\n',
    total, table.concat(answers, ", "), first, is_cut and 0 or last, e.connect + e.read + e.write + e.timeout,
    latency.max / 1000, told(latency)))
end
