-- What a status page asks for every few seconds must not wade through the jobs that completed.
CREATE INDEX jobs_unsuccessful ON shufflenet.jobs (id) WHERE state IN ('failed', 'held');
