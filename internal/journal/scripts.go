package journal

import "github.com/redis/go-redis/v9"

// Each script begins with the fence: the number that the lease of the
// request's asset gave out. A lower one than seen before is refused, a higher
// one is remembered; 0 is nobody's, and always passes.
const fenceLua = `
local seen = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
local fence = tonumber(ARGV[1])
if fence > 0 and fence < seen then return redis.error_reply('FENCED by ' .. seen) end
if fence > seen then redis.call('HSET', KEYS[1], 'fence', ARGV[1]) end
`

//nolint:gochecknoglobals // scripts are constants that the client hashes once
var (
	// KEYS record; ARGV fence, seconds to keep, generation. Returns the record
	// as it was. A stale task's attempt is not marked: it ends here.
	beginScript = redis.NewScript(fenceLua + `
local v = redis.call('HMGET', KEYS[1], 'state', 'updated', 'attempts', 'generation', 'class', 'error', 'at', 'type', 'product', 'asset', 'lane')
for i = 1, #v do v[i] = v[i] or '' end
if v[1] ~= 'parked' and tonumber(ARGV[3]) >= (tonumber(v[4]) or 0) then redis.call('HSET', KEYS[1], 'state', 'running') end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return v
`)

	// KEYS record, steps; ARGV fence, seconds to keep, state, now, then
	// fields. Of an ended request's steps only names and times stay, since
	// results may hold secrets.
	settleScript = redis.NewScript(fenceLua + `
redis.call('HSET', KEYS[1], 'state', ARGV[3], unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], ARGV[2])
if ARGV[3] == 'done' then
  for _, step in ipairs(redis.call('HKEYS', KEYS[2])) do
    redis.call('HSET', KEYS[2], step, 'e' .. ARGV[4])
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
`)

	// KEYS record; ARGV generation, seconds to keep.
	nextGenerationScript = redis.NewScript(`
local v = redis.call('HMGET', KEYS[1], 'generation', 'state')
local present = tonumber(v[1] or '0')
if present ~= tonumber(ARGV[1]) or (v[2] and v[2] ~= 'running') then return tonumber(ARGV[1]) end
redis.call('HSET', KEYS[1], 'generation', present + 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return present + 1
`)

	// KEYS record, steps; ARGV fence, seconds to keep, step, intent.
	// Returns what stood there, or nil after writing the intent.
	beginStepScript = redis.NewScript(fenceLua + `
local stored = redis.call('HGET', KEYS[2], ARGV[3])
if stored then return stored end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return false
`)

	// KEYS record, steps; ARGV fence, seconds to keep, step, result.
	// Returns the result that is stored: the first writer wins.
	finishStepScript = redis.NewScript(fenceLua + `
local stored = redis.call('HGET', KEYS[2], ARGV[3])
if stored and string.sub(stored, 1, 1) ~= 'i' then return stored end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return ARGV[4]
`)

	// KEYS record, steps; ARGV fence, seconds to keep, step.
	forgetStepScript = redis.NewScript(fenceLua + `
local stored = redis.call('HGET', KEYS[2], ARGV[3])
if stored and string.sub(stored, 1, 1) == 'i' then redis.call('HDEL', KEYS[2], ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
`)
)
