"""The log in SQLite through APSW, and its views.

home        the folder and what is in it         lock        one supervisor a home
opening     the way in for whoever writes        connection  every check before the first read
filesystem  which file systems can be trusted    statements  SQL and rows, typed; transactions
migrations  numbered, each atomic                schema/     their SQL
log         append: events and views, one sync   reading     the events in order
views       records <-> rows                     lookups     single records and what hangs on them, from the views
fold        the whole log -> records             rebuild     the views afresh, in one transaction
replaying   the jobs as they stood after an event, in bounded memory
reader      reading beside a running supervisor  listing     a job as `jobs` and `replay` show it
verify      is it all as it should be?           memory      the twin without a disk
contract    what every store can do              errors      what can go wrong, in words
unix_path   sockets below folders of any depth   translation errors of SQLite and of the system -> ours
checksum    of each page of the log              renewal     of those that another program wrote
"""
