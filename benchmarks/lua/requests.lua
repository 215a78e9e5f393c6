-- Requests for wrk: one method and path, in which {key}, {amount} and {serial} change with every request.
-- Arguments: method, path, body, largest key, seed. Headers come with wrk's own -H.

local method, path, body, most, serial

local function filled(text)
   if not text then return nil end
   text = text:gsub("{key}", function() return tostring(math.random(1, most)) end)
   text = text:gsub("{amount}", function() return string.format("%d.%02d", 1000 + math.floor(serial % 20000 / 100), serial % 100) end)
   return (text:gsub("{serial}", function() return tostring(serial) end))
end

function init(args)
   method, path, body, most, serial = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[5])
   if body == "" then body = nil end
   math.randomseed(serial)
   local changes = (path .. (body or "")):find("{", 1, true) and (path .. (body or "")):find("{%a+}")
   if changes then
      request = function()
         serial = serial + 1
         return wrk.format(method, filled(path), nil, filled(body))
      end
   else
      local fixed = wrk.format(method, path, nil, body)
      request = function() return fixed end
   end
end

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "summary.lua")
