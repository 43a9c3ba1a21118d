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
    select max(n.seq) from events n
    where n.job = l.job and n.data ->> 'attempt' = l.data ->> 'attempt'
      and n.type in ('attempt_launched', 'attempt_started', 'attempt_ended', 'attempt_revoked')
)
where l.type = 'attempt_launched';
