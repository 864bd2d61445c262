-- wrk's script: lookups at the location door, made before the clock starts.
--
-- in   POST and a token: the marketplace's server asks for 5,000 addresses
--      GET: browsers ask, with a browser's headers
-- out  a line RESULT with JSON; answers other than 200 are counted

local REQUESTS = 20000
local threads = {}

function setup(thread) threads[#threads + 1] = thread end

local function browser(address)
   return wrk.format("GET", "/location", {
      ["Host"] = "shop.example",
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ["Cookie"] = "session=0123456789abcdef; statistics_consent=refused; theme=dark",
      ["X-Forwarded-For"] = address,
      ["Accept"] = "application/json",
      ["Accept-Language"] = "de-DE,de;q=0.8,en;q=0.5",
      ["Accept-Encoding"] = "gzip, deflate, br",
      ["Referer"] = "http://shop.example/cart",
      ["Sec-Fetch-Dest"] = "empty",
      ["Sec-Fetch-Mode"] = "cors",
      ["Sec-Fetch-Site"] = "same-origin",
   })
end

local function backend(address, token)
   local headers = {
      ["Host"] = "127.0.0.1:8000",
      ["User-Agent"] = "shop/1.0",
      ["Accept"] = "*/*",
      ["Authorization"] = "Bearer " .. token,
      ["Content-Type"] = "application/json",
   }
   return wrk.format("POST", "/location", headers, '{"ip": "' .. address .. '"}')
end

function init(args)
   math.randomseed(7)
   requests, at, missed = {}, 0, 0
   for i = 1, REQUESTS do
      local n = math.random(0, 4999)
      local address = "80." .. n % 250 .. "." .. math.floor(n / 250) .. ".7"
      requests[i] = args[1] == "GET" and browser(address) or backend(address, args[2])
   end
end

function request()
   at = at % REQUESTS + 1
   return requests[at]
end

function response(status)
   if status ~= 200 then missed = missed + 1 end
end

function done(summary, latency)
   local all = 0
   for _, thread in ipairs(threads) do all = all + thread:get("missed") end
   io.write(string.format(
      'RESULT {"rate": %.1f, "p50": %.3f, "p99": %.3f, "missed": %d}\n',
      summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, all))
end
