-- What there is to know of an attempt stands in the events of its job, which events_job finds. A table that named two of
-- those events for each attempt was a tenth of what a launch and an end cost.

drop view attempts;
drop table attempt;

create view attempts as
select l.job, l.data ->> 'attempt' as number,
       l.data ->> 'token' as token,
       l.data ->> 'target' as target,
       l.time as launched_at,
       e.type as newest,
       coalesce(e.data ->> '$.started_at', e.data ->> '$.outcome.started_at') as started_at,
       e.data ->> '$.outcome.ended_at' as ended_at,
       e.data ->> '$.outcome.how' as how,
       e.data ->> '$.outcome.exit_code' as exit_code
from events l join events e on e.seq = (
    -- A job has one attempt at a time: what is said of it lies before the next launch.
    select max(n.seq) from events n
    where n.job = l.job and n.seq >= l.seq
      and n.seq < coalesce(
          (select min(o.seq) from events o where o.job = l.job and o.seq > l.seq and o.type = 'attempt_launched'),
          9223372036854775807
      )
      and n.type in ('attempt_launched', 'attempt_started', 'attempt_ended', 'attempt_revoked')
)
where l.type = 'attempt_launched';
