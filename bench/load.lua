-- wrk's script: visits from 5,000 addresses with 40 browsers to the pairs in the environment's file.
--
-- Every thread makes its requests before the clock starts, so that making them costs the load
-- nothing. Answers other than X-Counted: yes are counted and told at the end.

local REQUESTS = 20000

local function lines(path)
   local all = {}
   for line in io.lines(path) do all[#all + 1] = line end
   return all
end

local thread_number = 0
local threads = {}

function setup(thread)
   thread:set("number", thread_number)
   thread_number = thread_number + 1
   threads[#threads + 1] = thread
end

function init(args)
   math.randomseed(7 + number)
   local pairs_signed = lines(args[1])
   local agents = lines(args[2])
   requests, at, uncounted = {}, 0, 0
   for i = 1, REQUESTS do
      local address = math.random(0, 4999)
      requests[i] = wrk.format("GET", "/pixel.gif?" .. pairs_signed[math.random(#pairs_signed)], {
         ["Host"] = "shop.example",
         ["User-Agent"] = agents[math.random(#agents)],
         ["Cookie"] = "session=0123456789abcdef; statistics_consent=granted; theme=dark",
         ["X-Forwarded-For"] = "198.18." .. math.floor(address / 250) .. "." .. (address % 250 + 1),
         ["Accept"] = "image/avif,image/webp,*/*",
         ["Accept-Language"] = "en-GB,en;q=0.8",
         ["Accept-Encoding"] = "gzip, deflate, br",
         ["Referer"] = "http://shop.example/products/17",
         ["Sec-Fetch-Dest"] = "image",
         ["Sec-Fetch-Mode"] = "no-cors",
         ["Sec-Fetch-Site"] = "same-origin",
      })
   end
end

function request()
   at = at % REQUESTS + 1
   return requests[at]
end

function response(status, headers, body)
   if headers["x-counted"] ~= "yes" then uncounted = uncounted + 1 end
end

function done(summary, latency, _)
   local missed = 0
   for _, thread in ipairs(threads) do missed = missed + thread:get("uncounted") end
   io.write(string.format(
      'RESULT {"requests": %d, "microseconds": %d, "uncounted": %d, "errors": %d, "p50": %.3f, "p99": %.3f}\n',
      summary.requests, summary.duration, missed,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
         + summary.errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
