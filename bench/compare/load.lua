-- One scenario for wrk: every line of the file BENCH_REQUESTS is a request, by turns. A line is the value of
-- the Authorization header and, after a tab, the body of a form. BENCH_METHOD and BENCH_PATH are the same for all;
-- BENCH_PAUSE is how many milliseconds each connection waits on average before it goes on.

local requests, at = {}, 0
local pause = tonumber(os.getenv("BENCH_PAUSE") or "0")

function init()
  math.randomseed(os.time())
  local method, path = os.getenv("BENCH_METHOD"), os.getenv("BENCH_PATH")
  for line in io.lines(os.getenv("BENCH_REQUESTS")) do
    local authorization, body = line:match("^([^\t]*)\t?(.*)$")
    local headers = { Authorization = authorization, Accept = "application/json" }
    if body ~= "" then
      headers["Content-Type"] = "application/x-www-form-urlencoded"
    else
      body = nil
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  -- Not always the same ones first.
  at = math.random(#requests)
end

function request()
  at = at % #requests + 1
  return requests[at]
end

if pause > 0 then
  -- At random, so that the connections do not keep step.
  function delay()
    return math.random(0, 2 * pause)
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'BENCH {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
