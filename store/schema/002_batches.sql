-- What is given to clusters' queues.

create table batch (
    name    text    primary key,      -- the token of its first attempt
    target  text    not null,
    open    integer not null,         -- 1: something of it is still to be expected
    planned integer not null,         -- seq of its batch_planned event, which holds the script
    seq     integer not null,         -- of its newest event
    data    text    not null          -- the record as JSON
) strict, without rowid;
create index batch_open on batch (target) where open = 1;
