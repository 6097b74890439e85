-- Sends the requests of a file written by bench/requests.py, over and over, and prints what came of it as JSON.
local requests, place = {}, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local content, at = file:read("*a"), 1
   while at <= #content do
      local length = tonumber(content:sub(at, at + 7))
      requests[#requests + 1] = content:sub(at + 8, at + 7 + length)
      at = at + 8 + length
   end
end

function request()
   place = place % #requests + 1
   return requests[place]
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout
   ))
end
