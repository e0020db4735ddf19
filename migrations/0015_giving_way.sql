-- The end of a part waits for the row of the whole, which cancel() locks before it comes to the parts: each would wait for the
-- other, and PostgreSQL would end one of them, a person's as likely as a daemon's. So parts do not wait as long as it takes to
-- look for that (deadlock_timeout, 1 s of its own accord); a daemon says again what it has to say.
ALTER FUNCTION shufflenet.wake_others(shufflenet.jobs, shufflenet.jobs) SET lock_timeout = '500ms';
