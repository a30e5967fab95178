-- What wrk asks, and what it tells in the end.
--
-- With a file of session ids it asks with one after the other. Without one it sends the same bytes
-- again and again, which costs it less.

local requests, sent = {}, 0

local function ask()
    sent = sent % #requests + 1
    return requests[sent]
end

function init(arguments)
    if arguments[1] == nil then
        return
    end
    for id in io.lines(arguments[1]) do
        wrk.headers["Cookie"] = "_my_session_id=" .. id
        requests[#requests + 1] = wrk.format()
    end
    request = ask
end

-- Requests, those refused, those that failed; microseconds: in all, half of them, 99 of a hundred.
function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format(
        "%d %d %d %d %d %d\n",
        summary.requests, errors.status, failed,
        summary.duration, latency:percentile(50), latency:percentile(99)
    ))
end
