-- The log, and the views that are the fold of it. Times are microseconds since the epoch, UTC.

pragma application_id = 0x486f6c64;  -- "Hold"

create table events (
    seq     integer primary key,  -- position, without gaps, given at commit by the only writer
    time    integer not null,
    type    text    not null,
    version integer not null,
    author  text    not null,     -- who did it
    cause   integer,              -- the seq that caused it; null: the author's own wish
    job     integer,              -- the job it is about, as in data; null: it is about none
    data    text    not null      -- the event's fields as JSON
) strict;
-- On a column, because an index on `data ->> 'job'` reads the JSON of every event again when it is written.
create index events_job on events (job);

create table meta (
    name  text primary key,
    value any
) strict, without rowid;

create table job (
    id           integer primary key,
    seq          integer not null,  -- of its job_submitted event, which holds all that was asked for
    last         integer not null,  -- seq of its newest event: since when it is as it is
    submitted_at integer not null,
    name         text    not null,
    flow         text,
    key          text,
    state        text    not null,
    activity     integer not null,  -- 0 ended, 1 waits for something, 2 has an attempt in flight
    data         text    not null   -- the record as JSON
) strict;
create unique index job_key on job (key) where key is not null;
create index job_flow on job (flow);
-- What a restart reads; small, whatever the number of jobs that have ended. Few indexes: each costs every change of state.
create index job_live on job (activity) where activity > 0;

-- What there is to know of an attempt stands in two of its events; to repeat it here would double what a commit writes.
create table attempt (
    job      integer not null,
    number   integer not null,
    launched integer not null,      -- seq of its attempt_launched event
    newest   integer not null,      -- seq of the event that says what became of it; the same until there is one
    primary key (job, number)
) strict, without rowid;

create table dependency (
    job    integer not null,
    needed integer not null,
    kind   integer not null,        -- 0 after, 1 after_any, 2 after_failed
    primary key (job, needed, kind)
) strict, without rowid;
create index dependency_needed on dependency (needed);

create table flow (
    id     text    primary key,
    number integer not null,
    seq    integer not null,
    digest text,
    data   text    not null
) strict, without rowid;
create unique index flow_number on flow (number);
create index flow_digest on flow (digest) where digest is not null;

create table target (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;

create table limit_ (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;

create table rate_mark (
    key  text primary key,
    data text not null
) strict, without rowid;

create table step (
    name text    not null,
    key  text    not null,
    seq  integer not null,          -- of its step_recorded event, which holds the result
    primary key (name, key)
) strict, without rowid;

-- For people with a SQLite tool; Holdfast itself does not read these.
create view jobs as
select id, name, flow, state, key,
       coalesce(data ->> '$.policy.target', 'local') as target,
       coalesce(data ->> '$.priority', 0) as priority,
       coalesce(data ->> '$.attempt', 0) as attempt,
       data ->> '$.state.exit_code' as exit_code,
       data ->> '$.state.reason' as reason,
       submitted_at,
       data ->> '$.state.started_at' as started_at,
       data ->> '$.state.ended_at' as ended_at
from job;

create view attempts as
select a.job, a.number,
       l.data ->> 'token' as token,
       l.data ->> 'target' as target,
       l.time as launched_at,
       e.type as newest,
       coalesce(e.data ->> '$.started_at', e.data ->> '$.outcome.started_at') as started_at,
       e.data ->> '$.outcome.ended_at' as ended_at,
       e.data ->> '$.outcome.how' as how,
       e.data ->> '$.outcome.exit_code' as exit_code
from attempt a join events l on l.seq = a.launched join events e on e.seq = a.newest;
