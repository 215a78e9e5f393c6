-- The line that load.py reads, at the end of a run of wrk.

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      "\nbenchmark %d %d %d %d %d %d\n", summary.requests, summary.duration,
      e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99), latency.max))
end
