-- Sends one constant request as often as it can; tells what came of it at the end.

function done(summary, latency)
  local points = {}
  for _, p in ipairs({ 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99 }) do
    points[#points + 1] = string.format('"%s": %.3f', p, latency:percentile(p) / 1000)
  end
  local e = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "errors": %d, "max_ms": %.3f, "percentiles": {%s}}\n',
    summary.duration / 1e6, summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency.max / 1000, table.concat(points, ", ")))
end
