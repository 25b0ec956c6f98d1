-- Asks the questions of a file in turn (METHOD <tab> path <tab> body) and prints one line of JSON.
local requests, at, headers = {}, 0, {}
function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
    requests[#requests + 1] = { method, path, body ~= "" and body or nil }
  end
  for line in io.lines(args[2]) do
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
end
function request()
  at = at % #requests + 1
  local r = requests[at]
  return wrk.format(r[1], r[2], headers, r[3])
end
function done(summary, latency)
  local e = summary.errors
  print(string.format('{"count": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "bad": %d}', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status + e.connect + e.read + e.write + e.timeout))
end
