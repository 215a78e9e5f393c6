-- Changes for wrk, each with the row's ETag in If-Match: a row is read once, then changed again and again with the tag
-- that the last answer gave it. No row is asked for twice at once, and as many are read as there are connections.
-- Arguments: method, path with {key}, body, largest key, seed. Headers come with wrk's own -H.

local method, path, body, most, serial
local known = {}

local function filled(text, value)
   return (text:gsub("{%a+}", function() return tostring(value) end))
end

function init(args)
   method, path, body, most, serial = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[5])
end

function request()
   serial = serial + 1
   local row = table.remove(known, 1)
   if not row then
      wrk.headers["If-Match"] = nil
      return wrk.format("GET", filled(path, serial % most + 1))
   end
   wrk.headers["If-Match"] = row.tag
   return wrk.format(method, filled(path, row.key), nil, filled(body, serial))
end

function response(status, headers, text)
   local tag, key = headers["etag"] or headers["ETag"], text:match('"id":(%d+)')
   if status == 200 and tag and key then known[#known + 1] = {tag = tag, key = key} end
end

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "summary.lua")
