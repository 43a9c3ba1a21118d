pragma application_id = 1215261796;
pragma user_version = 3;
CREATE TABLE events (
    seq     integer primary key,  -- position, without gaps, given at commit by the only writer
    time    integer not null,
    type    text    not null,
    version integer not null,
    author  text    not null,     -- who did it
    cause   integer,              -- the seq that caused it; null: the author's own wish
    job     integer,              -- the job it is about, as in data; null: it is about none
    data    text    not null      -- the event's fields as JSON
) strict;
insert into events values (1, 1700000000000000, 'home_created', 1, 'ada', null, null, '{"home":"0badcafe"}');
insert into events values (2, 1700000000000001, 'target_configured', 1, 'ada', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (3, 1700000000000001, 'target_configured', 1, 'ada', null, null, '{"target":"cluster","capacity":{},"slurm":{"partition":"main","sbatch":{"qos":"long"},"max_queued":50}}');
insert into events values (4, 1700000000001001, 'allocation_requested', 1, 'target:cluster', null, null, '{"allocation":"cluster/1","target":"cluster","number":1,"capacity":{"cpus":4},"time_us":3600000000}');
insert into events values (5, 1699999997001002, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-1","number":1,"jobs":3,"digest":"d2"}');
insert into events values (6, 1699999997001002, 'limit_configured', 1, 'grace@host', 5, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (7, 1699999997001002, 'job_submitted', 1, 'grace@host', 5, 1, '{"job":1,"state":"ready","spec":{"run":"echo ''ä''; exit 1","needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"licence-1"}');
insert into events values (8, 1699999997001002, 'job_submitted', 1, 'grace@host', 5, 2, '{"job":2,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","needs":{"cpus":1},"limits":["licence"],"priority":-1000000,"retry_on":["failed","lost","timeout"]},"flow":"licence-1"}');
insert into events values (9, 1699999997001002, 'job_submitted', 1, 'grace@host', 5, 3, '{"job":3,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","cwd":"runs","after":[2],"after_any":[2],"target":"cluster","needs":{"cpus":1},"limits":["licence"],"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"licence-1"}');
insert into events values (10, 1700000001001002, 'limit_configured', 1, 'scheduler', null, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (11, 1700000001001002, 'job_submitted', 1, 'scheduler', null, 4, '{"job":4,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[2,3],"after_any":[2],"needs":{"cpus":2},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (12, 1700000001001002, 'job_submitted', 1, 'scheduler', null, 5, '{"job":5,"state":"ready","spec":{"run":["true"],"name":"job 1 é","needs":{"cpus":1},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 5"}}');
insert into events values (13, 1700000001001002, 'job_submitted', 1, 'scheduler', null, 6, '{"job":6,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","cwd":"runs","after_any":[2],"target":"cluster","needs":{"cpus":2},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (14, 1699999998001002, 'target_configured', 1, 'ada', null, null, '{"target":"local","capacity":{"cpus":5}}');
insert into events values (15, 1699999995001002, 'attempt_launched', 1, 'ada', 7, 1, '{"job":1,"attempt":1,"token":"0badcafe.1.1","target":"local","grants":{"licence:a":1699999995501002}}');
insert into events values (16, 1699999997001002, 'allocation_released', 1, 'target:cluster', null, null, '{"allocation":"cluster/1","reason":"nothing to do"}');
insert into events values (17, 1699999996001002, 'job_held', 1, 'ada', null, 6, '{"job":6}');
insert into events values (18, 1699999996001002, 'job_held', 1, 'ada', null, 3, '{"job":3}');
insert into events values (19, 1699999993001002, 'target_configured', 1, 'grace@host', null, null, '{"target":"local","capacity":{"cpus":2}}');
insert into events values (20, 1699999995001002, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-2","number":2,"jobs":4,"digest":"d2"}');
insert into events values (21, 1699999995001002, 'job_submitted', 1, 'grace@host', 20, 7, '{"job":7,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after_any":[2],"needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"flow":"licence-2"}');
insert into events values (22, 1699999995001002, 'job_submitted', 1, 'grace@host', 20, 8, '{"job":8,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after":[2,7],"needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"flow":"licence-2"}');
insert into events values (23, 1699999995001002, 'job_submitted', 1, 'grace@host', 20, 9, '{"job":9,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[7,8],"after_any":[7],"needs":{"cpus":1},"limits":["licence"],"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"licence-2"}');
insert into events values (24, 1699999995001002, 'job_submitted', 1, 'grace@host', 20, 10, '{"job":10,"state":"waiting","spec":{"run":["true"],"after":[5],"needs":{"cpus":2},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"flow":"licence-2"}');
insert into events values (25, 1699999995002003, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-1","boot":"boot-1","pid":77}');
insert into events values (26, 1699999995002003, 'attempt_revoked', 1, 'target:local', 15, 1, '{"job":1,"attempt":1,"reason":"taken back before it started"}');
insert into events values (27, 1699999997002003, 'attempt_launched', 1, 'grace@host', 8, 2, '{"job":2,"attempt":1,"token":"0badcafe.2.1","target":"local","grants":{"licence":1699999997502003}}');
insert into events values (28, 1699999997002003, 'attempt_launched', 1, 'grace@host', 26, 1, '{"job":1,"attempt":2,"token":"0badcafe.1.2","target":"local","grants":{"licence:a":1699999997502003}}');
insert into events values (29, 1699999997002003, 'attempt_launched', 1, 'grace@host', 12, 5, '{"job":5,"attempt":1,"token":"0badcafe.5.1","target":"local","grants":{"licence:a":1699999997502003}}');
insert into events values (30, 1699999999002003, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"licence-3","number":3,"jobs":1,"digest":"d1"}');
insert into events values (31, 1699999999002003, 'limit_configured', 1, 'scheduler', 30, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (32, 1699999999002003, 'job_submitted', 1, 'scheduler', 30, 11, '{"job":11,"state":"ready","spec":{"run":["true"],"name":"job 0 é","needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"flow":"licence-3"}');
insert into events values (33, 1699999996003003, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"local-4","number":4,"jobs":3}');
insert into events values (34, 1699999996003003, 'limit_configured', 1, 'grace@host', 33, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (35, 1699999996003003, 'job_submitted', 1, 'grace@host', 33, 12, '{"job":12,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[5],"after_any":[5],"needs":{"cpus":2},"priority":-1000000,"retry_on":["failed","lost","timeout"]},"flow":"local-4"}');
insert into events values (36, 1699999996003003, 'job_submitted', 1, 'grace@host', 33, 13, '{"job":13,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[12],"after_any":[12],"needs":{"cpus":2},"limits":["licence:a"],"priority":5,"retry_on":["failed","lost","timeout"],"key":"key 29"},"flow":"local-4"}');
insert into events values (37, 1699999996003003, 'job_submitted', 1, 'grace@host', 33, 14, '{"job":14,"state":"held","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","after_any":[12],"needs":{"cpus":1},"priority":5,"retry_on":["failed","lost","timeout"],"hold":true},"flow":"local-4"}');
insert into events values (38, 1699999996003003, 'attempt_launched', 1, 'ada', 32, 11, '{"job":11,"attempt":1,"token":"0badcafe.11.1","target":"local","grants":{"licence:a":1699999996503003}}');
insert into events values (39, 1699999998003003, 'job_cancelled', 1, 'grace@host', null, 4, '{"job":4,"reason":"cancelled"}');
insert into events values (40, 1699999998003003, 'job_cancelled', 1, 'grace@host', null, 7, '{"job":7,"reason":"cancelled"}');
insert into events values (41, 1699999998003003, 'job_skipped', 1, 'grace@host', 40, 8, '{"job":8,"because":7,"reason":"after job 7, which was cancelled"}');
insert into events values (42, 1699999998003003, 'job_skipped', 1, 'grace@host', 40, 9, '{"job":9,"because":7,"reason":"after job 7, which was cancelled"}');
insert into events values (43, 1699999992003003, 'attempt_unreachable', 1, 'target:local', 28, 1, '{"job":1,"attempt":2,"reason":"it does not answer"}');
insert into events values (44, 1699999992003003, 'attempt_unreachable', 1, 'target:local', 27, 2, '{"job":2,"attempt":1,"reason":"it does not answer"}');
insert into events values (45, 1699999992003003, 'attempt_unreachable', 1, 'target:local', 29, 5, '{"job":5,"attempt":1,"reason":"it does not answer"}');
insert into events values (46, 1699999992003003, 'attempt_unreachable', 1, 'target:local', 38, 11, '{"job":11,"attempt":1,"reason":"it does not answer"}');
insert into events values (47, 1699999991003004, 'cancel_requested', 1, 'ada', null, 2, '{"job":2}');
insert into events values (48, 1699999993003004, 'target_configured', 1, 'scheduler', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (49, 1699999995003004, 'job_released', 1, 'scheduler', null, 14, '{"job":14,"state":"waiting"}');
insert into events values (50, 1699999995003004, 'target_configured', 1, 'grace@host', null, null, '{"target":"local","capacity":{"cpus":3}}');
insert into events values (51, 1699999992003004, 'attempt_ended', 1, 'target:local', 45, 5, '{"job":5,"attempt":1,"outcome":{"how":"timeout","ended_at":1699999992003004,"started_at":1699999992002004,"signal":15,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1699999992808287}');
insert into events values (52, 1699999992003004, 'attempt_started', 1, 'target:local', 46, 11, '{"job":11,"attempt":1,"started_at":1699999992002999,"process":{"pid":4711,"start":12}}');
insert into events values (53, 1699999992003004, 'attempt_reached', 1, 'target:local', 43, 1, '{"job":1,"attempt":2}');
insert into events values (54, 1699999992003004, 'attempt_reached', 1, 'target:local', 47, 2, '{"job":2,"attempt":1}');
insert into events values (55, 1699999989004005, 'attempt_ended', 1, 'target:local', 52, 11, '{"job":11,"attempt":1,"outcome":{"how":"exited","ended_at":1699999989004005,"started_at":1699999989003005,"exit_code":0,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (56, 1699999991004005, 'limit_configured', 1, 'ada', null, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (57, 1699999991004005, 'job_submitted', 1, 'ada', null, 15, '{"job":15,"state":"ready","spec":{"run":["true"],"name":"job 0 é","cwd":"runs","target":"cluster","needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (58, 1699999991004005, 'job_submitted', 1, 'ada', null, 16, '{"job":16,"state":"ready","spec":{"run":["true"],"needs":{"cpus":2},"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 9"}}');
insert into events values (59, 1699999993004005, 'attempt_ended', 1, 'target:local', 53, 1, '{"job":1,"attempt":2,"outcome":{"how":"stopped","ended_at":1699999993004005,"started_at":1699999993003005,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (60, 1699999995004005, 'allocation_ended', 1, 'target:cluster', null, null, '{"allocation":"cluster/1","reason":"its script failed","word":"FAILED"}');
insert into events values (61, 1699999997005005, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"local-5","number":5,"jobs":1,"digest":"d1"}');
insert into events values (62, 1699999997005005, 'limit_configured', 1, 'grace@host', 61, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (63, 1699999997005005, 'job_submitted', 1, 'grace@host', 61, 17, '{"job":17,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":1},"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-5"}');
insert into events values (64, 1700000003005005, 'attempt_ended', 1, 'target:local', 54, 2, '{"job":2,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000003005005,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (65, 1700000003005005, 'job_skipped', 1, 'grace@host', 64, 3, '{"job":3,"because":2,"reason":"after job 2, which was cancelled"}');
insert into events values (66, 1700000007005005, 'job_ready', 1, 'scheduler', 51, 5, '{"job":5}');
insert into events values (67, 1700000009005005, 'allocation_retired', 1, 'target:cluster', null, null, '{"allocation":"cluster/1"}');
insert into events values (68, 1700000006005007, 'flow_submitted', 1, 'ada', null, null, '{"flow":"local-6","number":6,"jobs":2,"digest":"d2"}');
insert into events values (69, 1700000006005007, 'limit_configured', 1, 'ada', 68, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (70, 1700000006005007, 'job_submitted', 1, 'ada', 68, 18, '{"job":18,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[12],"after_any":[12],"needs":{"cpus":1},"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-6"}');
insert into events values (71, 1700000006005007, 'job_submitted', 1, 'ada', 68, 19, '{"job":19,"state":"ready","spec":{"run":["true"],"name":"job 1 é","cwd":"runs","target":"cluster","needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-6"}');
insert into events values (72, 1700000008005007, 'attempt_launched', 1, 'scheduler', 71, 19, '{"job":19,"attempt":1,"token":"0badcafe.19.1","target":"cluster","grants":{"licence:a":1700000008505007}}');
insert into events values (73, 1700000008005007, 'attempt_launched', 1, 'scheduler', 57, 15, '{"job":15,"attempt":1,"token":"0badcafe.15.1","target":"cluster","grants":{"licence":1700000008505007}}');
insert into events values (74, 1700000008005007, 'attempt_launched', 1, 'scheduler', 66, 5, '{"job":5,"attempt":2,"token":"0badcafe.5.2","target":"local","grants":{"licence:a":1700000008505007}}');
insert into events values (75, 1700000010005007, 'attempt_ended', 1, 'target:cluster', 72, 19, '{"job":19,"attempt":1,"outcome":{"how":"exited","ended_at":1700000010005007,"started_at":1700000010004007,"exit_code":1,"word":"COMPLETED","nodes":"node[1-2]","queued_us":7000000},"retry_at":1700000010436216}');
insert into events values (76, 1700000010005010, 'cancel_requested', 1, 'grace@host', null, 5, '{"job":5}');
insert into events values (77, 1700000010005010, 'job_cancelled', 1, 'grace@host', null, 14, '{"job":14,"reason":"cancelled"}');
insert into events values (78, 1700000010005010, 'job_cancelled', 1, 'grace@host', null, 13, '{"job":13,"reason":"cancelled"}');
insert into events values (79, 1700000007005010, 'flow_submitted', 1, 'ada', null, null, '{"flow":"local-7","number":7,"jobs":3}');
insert into events values (80, 1700000007005010, 'job_submitted', 1, 'ada', 79, 20, '{"job":20,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","cwd":"runs","after":[6],"after_any":[15],"target":"cluster","needs":{"cpus":2},"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-7"}');
insert into events values (81, 1700000007005010, 'job_submitted', 1, 'ada', 79, 21, '{"job":21,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","cwd":"runs","after":[20,8],"target":"cluster","needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-7"}');
insert into events values (82, 1700000007005010, 'job_submitted', 1, 'ada', 79, 22, '{"job":22,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","cwd":"runs","after_failed":[20],"target":"cluster","needs":{"cpus":2},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 21"},"flow":"local-7"}');
insert into events values (83, 1700000007005010, 'job_skipped', 1, 'ada', 81, 21, '{"job":21,"because":8,"reason":"after job 8, which was skipped"}');
insert into events values (84, 1700000009005010, 'attempt_launched', 1, 'scheduler', 58, 16, '{"job":16,"attempt":1,"token":"0badcafe.16.1","target":"local"}');
insert into events values (85, 1700000009005010, 'attempt_launched', 1, 'scheduler', 63, 17, '{"job":17,"attempt":1,"token":"0badcafe.17.1","target":"local"}');
insert into events values (86, 1700000011005010, 'job_held', 1, 'ada', null, 19, '{"job":19}');
insert into events values (87, 1700000011006010, 'allocation_requested', 1, 'target:cluster', null, null, '{"allocation":"cluster/2","target":"cluster","number":2,"capacity":{"cpus":4},"time_us":3600000000}');
insert into events values (88, 1700000011007010, 'attempt_ended', 1, 'target:cluster', 73, 15, '{"job":15,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000011007010,"queued_us":7000000},"retry_at":1700000011760380}');
insert into events values (89, 1700000011008010, 'attempt_ended', 1, 'target:local', 76, 5, '{"job":5,"attempt":2,"outcome":{"how":"not_started","ended_at":1700000011008010,"error":"no such file","cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (90, 1700000011008010, 'job_skipped', 1, 'scheduler', 89, 10, '{"job":10,"because":5,"reason":"after job 5, which was cancelled"}');
insert into events values (91, 1700000011008010, 'job_skipped', 1, 'scheduler', 89, 12, '{"job":12,"because":5,"reason":"after job 5, which was cancelled"}');
insert into events values (92, 1700000011008010, 'job_skipped', 1, 'scheduler', 91, 18, '{"job":18,"because":12,"reason":"after job 12, which was skipped"}');
insert into events values (93, 1700000005008010, 'allocation_granted', 1, 'target:cluster', null, null, '{"allocation":"cluster/2","id":"15","node":"node1","started_at":1700000005008010}');
insert into events values (94, 1700000010008011, 'flow_submitted', 1, 'ada', null, null, '{"flow":"nightly-8","number":8,"jobs":3,"digest":"d1"}');
insert into events values (95, 1700000010008011, 'limit_configured', 1, 'ada', 94, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (96, 1700000010008011, 'job_submitted', 1, 'ada', 94, 23, '{"job":23,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":2},"limits":["licence"],"retry_on":["failed","lost","timeout"]},"flow":"nightly-8"}');
insert into events values (97, 1700000010008011, 'job_submitted', 1, 'ada', 94, 24, '{"job":24,"state":"ready","spec":{"run":["true"],"cwd":"runs","after_any":[18],"target":"cluster","needs":{"cpus":2},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 41"},"flow":"nightly-8"}');
insert into events values (98, 1700000010008011, 'job_submitted', 1, 'ada', 94, 25, '{"job":25,"state":"waiting","spec":{"run":["true"],"name":"job 2 é","after":[1,23],"after_any":[23],"needs":{"cpus":1},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-8"}');
insert into events values (99, 1700000010008011, 'job_skipped', 1, 'ada', 98, 25, '{"job":25,"because":1,"reason":"after job 1, which was cancelled"}');
insert into events values (100, 1700000016008011, 'job_ready', 1, 'grace@host', 88, 15, '{"job":15}');
insert into events values (101, 1700000016009011, 'attempt_started', 1, 'target:local', 84, 16, '{"job":16,"attempt":1,"started_at":1700000016009006,"process":{"pid":4711,"start":12}}');
insert into events values (102, 1700000022009012, 'attempt_ended', 1, 'target:local', 101, 16, '{"job":16,"attempt":1,"outcome":{"how":"exited","ended_at":1700000022009012,"started_at":1700000022008012,"exit_code":1,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000022229595}');
insert into events values (103, 1700000016011012, 'job_ready', 1, 'ada', 102, 16, '{"job":16}');
insert into events values (104, 1700000016012013, 'target_paused', 1, 'grace@host', null, null, '{"target":"local"}');
insert into events values (105, 1700000016012013, 'target_paused', 1, 'grace@host', null, null, '{"target":"cluster"}');
insert into events values (106, 1700000016014013, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-2","boot":"boot-2","pid":78}');
insert into events values (107, 1700000016014013, 'attempt_ended', 1, 'target:local', 85, 17, '{"job":17,"attempt":1,"outcome":{"how":"stopped","ended_at":1700000016014013,"started_at":1700000016013013,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (108, 1700000015015015, 'job_submitted', 1, 'ada', null, 26, '{"job":26,"state":"waiting","spec":{"run":["true"],"after":[21],"after_failed":[21],"needs":{"cpus":2},"limits":["licence"],"priority":5,"retry_on":["failed","lost","timeout"]}}');
insert into events values (109, 1700000015015015, 'job_submitted', 1, 'ada', null, 27, '{"job":27,"state":"ready","spec":{"run":["true"],"name":"job 1 é","cwd":"runs","after":[11],"after_any":[11],"target":"cluster","needs":{"cpus":2},"retry_on":["failed","lost","timeout"]}}');
insert into events values (110, 1700000015015015, 'job_submitted', 1, 'ada', null, 28, '{"job":28,"state":"waiting","spec":{"run":["true"],"name":"job 2 é","after_any":[27],"needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (111, 1700000015015015, 'job_skipped', 1, 'ada', 108, 26, '{"job":26,"because":21,"reason":"after job 21, which was skipped"}');
insert into events values (112, 1700000017015015, 'target_resumed', 1, 'grace@host', null, null, '{"target":"local"}');
insert into events values (113, 1700000017015015, 'target_resumed', 1, 'grace@host', null, null, '{"target":"cluster"}');
insert into events values (114, 1700000017015016, 'target_paused', 1, 'ada', null, null, '{"target":"local"}');
insert into events values (115, 1700000017015016, 'target_paused', 1, 'ada', null, null, '{"target":"cluster"}');
insert into events values (116, 1700000019016016, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"local-9","number":9,"jobs":2,"digest":"d1"}');
insert into events values (117, 1700000019016016, 'limit_configured', 1, 'scheduler', 116, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (118, 1700000019016016, 'job_submitted', 1, 'scheduler', 116, 29, '{"job":29,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","cwd":"runs","after":[15,14],"after_any":[15],"target":"cluster","needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-9"}');
insert into events values (119, 1700000019016016, 'job_submitted', 1, 'scheduler', 116, 30, '{"job":30,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","after":[22],"after_any":[22],"needs":{"cpus":1},"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-9"}');
insert into events values (120, 1700000019016016, 'job_skipped', 1, 'scheduler', 118, 29, '{"job":29,"because":14,"reason":"after job 14, which was cancelled"}');
insert into events values (121, 1700000021016016, 'attempt_launched', 1, 'ada', 103, 16, '{"job":16,"attempt":2,"token":"0badcafe.16.2","target":"local"}');
insert into events values (122, 1700000023016016, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-1","boot":"boot-1","pid":77}');
insert into events values (123, 1700000025016016, 'attempt_started', 1, 'target:local', 121, 16, '{"job":16,"attempt":2,"started_at":1700000025016011,"process":{"pid":4711,"start":12}}');
insert into events values (124, 1700000025016017, 'target_configured', 1, 'grace@host', null, null, '{"target":"local","capacity":{"cpus":5}}');
insert into events values (125, 1700000021017017, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"nightly-10","number":10,"jobs":3,"digest":"d2"}');
insert into events values (126, 1700000021017017, 'job_submitted', 1, 'scheduler', 125, 31, '{"job":31,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":2},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-10"}');
insert into events values (127, 1700000021017017, 'job_submitted', 1, 'scheduler', 125, 32, '{"job":32,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","cwd":"runs","after":[31],"target":"cluster","needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"]},"flow":"nightly-10"}');
insert into events values (128, 1700000021017017, 'job_submitted', 1, 'scheduler', 125, 33, '{"job":33,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","cwd":"runs","after_any":[32],"target":"cluster","needs":{"cpus":2},"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"nightly-10"}');
insert into events values (129, 1700000027017017, 'allocation_ended', 1, 'target:cluster', null, null, '{"allocation":"cluster/2","reason":"its time was over","word":"TIMEOUT"}');
insert into events values (130, 1700000027017018, 'attempt_launched', 1, 'ada', 100, 15, '{"job":15,"attempt":2,"token":"0badcafe.15.2","target":"cluster","grants":{"licence":1700000027517018}}');
insert into events values (131, 1700000027019019, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.15.2","size":1,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.15.2\n","sha256":"b86fa523f870c3eb9396ed1e73b6efe04682f8219700101630b36ae9a6dd36e9"}');
insert into events values (132, 1700000027019019, 'attempt_batched', 1, 'target:cluster', 130, 15, '{"job":15,"attempt":2,"batch":"0badcafe.15.2"}');
insert into events values (133, 1700000029019019, 'allocation_requested', 1, 'target:cluster', null, null, '{"allocation":"cluster/3","target":"cluster","number":3,"capacity":{"cpus":4},"time_us":3600000000}');
insert into events values (134, 1700000031019019, 'attempt_ended', 1, 'target:local', 123, 16, '{"job":16,"attempt":2,"outcome":{"how":"stopped","ended_at":1700000031019019,"started_at":1700000031018019,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (135, 1700000033019019, 'allocation_ended', 1, 'target:cluster', null, null, '{"allocation":"cluster/3","reason":"its script failed","word":"FAILED"}');
insert into events values (136, 1700000033019020, 'batch_unclear', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.15.2","reason":"Socket timed out on send/recv operation"}');
insert into events values (137, 1700000034021020, 'attempt_launched', 1, 'ada', 97, 24, '{"job":24,"attempt":1,"token":"0badcafe.24.1","target":"cluster","grants":{"licence:a":1700000034521020}}');
insert into events values (138, 1700000034021020, 'attempt_launched', 1, 'ada', 96, 23, '{"job":23,"attempt":1,"token":"0badcafe.23.1","target":"local","grants":{"licence":1700000034521020}}');
insert into events values (139, 1700000034022020, 'attempt_launched', 1, 'grace@host', 126, 31, '{"job":31,"attempt":1,"token":"0badcafe.31.1","target":"local"}');
insert into events values (140, 1700000031022020, 'job_prioritised', 1, 'grace@host', null, 33, '{"job":33,"priority":2}');
insert into events values (141, 1700000031023020, 'attempt_launched', 1, 'grace@host', 109, 27, '{"job":27,"attempt":1,"token":"0badcafe.27.1","target":"cluster"}');
insert into events values (142, 1700000032025020, 'batch_absent', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.15.2","reason":"it was asked twice"}');
insert into events values (143, 1700000034026021, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"nightly-11","number":11,"jobs":1,"digest":"d1"}');
insert into events values (144, 1700000034026021, 'job_submitted', 1, 'scheduler', 143, 34, '{"job":34,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","cwd":"runs","after":[9],"after_any":[9],"target":"cluster","needs":{"cpus":2},"retry_on":["failed","lost","timeout"]},"flow":"nightly-11"}');
insert into events values (145, 1700000034026021, 'job_skipped', 1, 'scheduler', 144, 34, '{"job":34,"because":9,"reason":"after job 9, which was skipped"}');
insert into events values (146, 1700000031026021, 'attempt_unreachable', 1, 'target:cluster', 132, 15, '{"job":15,"attempt":2,"reason":"it does not answer"}');
insert into events values (147, 1700000031026021, 'attempt_unreachable', 1, 'target:cluster', 137, 24, '{"job":24,"attempt":1,"reason":"it does not answer"}');
insert into events values (148, 1700000031026021, 'attempt_unreachable', 1, 'target:cluster', 141, 27, '{"job":27,"attempt":1,"reason":"it does not answer"}');
insert into events values (149, 1700000033028021, 'cancel_requested', 1, 'scheduler', null, 23, '{"job":23}');
insert into events values (150, 1700000033029021, 'job_submitted', 1, 'ada', null, 35, '{"job":35,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","cwd":"runs","target":"cluster","needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"]}}');
insert into events values (151, 1700000033029021, 'job_submitted', 1, 'ada', null, 36, '{"job":36,"state":"held","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[35],"after_failed":[35],"needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"],"key":"key 1","hold":true}}');
insert into events values (152, 1700000033029023, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-2","boot":"boot-2","pid":78}');
insert into events values (153, 1700000033029023, 'attempt_ended', 1, 'target:local', 149, 23, '{"job":23,"attempt":1,"outcome":{"how":"exited","ended_at":1700000033029023,"started_at":1700000033028023,"exit_code":0,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (154, 1700000033029023, 'attempt_ended', 1, 'target:local', 139, 31, '{"job":31,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000033029023,"error":"no such file","cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000033376961}');
insert into events values (155, 1700000033030023, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.24.1","size":2,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.24.1\n","sha256":"d1369236d94f5692dfe76e64a00c7486bbec0064e4afe4b74c2d325a310f6027"}');
insert into events values (156, 1700000033030023, 'attempt_batched', 1, 'target:cluster', 147, 24, '{"job":24,"attempt":1,"batch":"0badcafe.24.1","index":0}');
insert into events values (157, 1700000033030023, 'attempt_batched', 1, 'target:cluster', 148, 27, '{"job":27,"attempt":1,"batch":"0badcafe.24.1","index":1}');
insert into events values (158, 1700000033030023, 'attempt_launched', 1, 'grace@host', 150, 35, '{"job":35,"attempt":1,"token":"0badcafe.35.1","target":"cluster","grants":{"licence":1700000033530023}}');
insert into events values (159, 1700000037030023, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"licence-12","number":12,"jobs":1,"digest":"d2"}');
insert into events values (160, 1700000037030023, 'job_submitted', 1, 'scheduler', 159, 37, '{"job":37,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":1},"limits":["licence"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"licence-12"}');
insert into events values (161, 1700000036030023, 'allocation_retired', 1, 'target:cluster', null, null, '{"allocation":"cluster/3"}');
insert into events values (162, 1700000033030023, 'target_configured', 1, 'ada', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (163, 1700000037030023, 'attempt_started', 1, 'target:cluster', 157, 27, '{"job":27,"attempt":1,"started_at":1700000037030018,"process":null}');
insert into events values (164, 1700000037030023, 'attempt_started', 1, 'target:cluster', 158, 35, '{"job":35,"attempt":1,"started_at":1700000037030018,"process":null}');
insert into events values (165, 1700000043031023, 'target_resumed', 1, 'grace@host', null, null, '{"target":"local"}');
insert into events values (166, 1700000043031023, 'target_resumed', 1, 'grace@host', null, null, '{"target":"cluster"}');
insert into events values (167, 1700000040031023, 'allocation_retired', 1, 'target:cluster', null, null, '{"allocation":"cluster/2"}');
insert into events values (168, 1700000037031023, 'attempt_unreachable', 1, 'target:cluster', 163, 27, '{"job":27,"attempt":1,"reason":"it does not answer"}');
insert into events values (169, 1700000037031023, 'attempt_unreachable', 1, 'target:cluster', 164, 35, '{"job":35,"attempt":1,"reason":"it does not answer"}');
insert into events values (170, 1700000037031023, 'attempt_launched', 1, 'scheduler', 160, 37, '{"job":37,"attempt":1,"token":"0badcafe.37.1","target":"local","grants":{"licence":1700000037531023}}');
insert into events values (171, 1700000037032024, 'batch_unclear', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.15.2","reason":"Socket timed out on send/recv operation"}');
insert into events values (172, 1700000037032024, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.35.1","size":1,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.35.1\n","sha256":"1d64d58e2722f6ac285ccd28135b65ad7253cda77f98fe10726ef531f8c7bcc8"}');
insert into events values (173, 1700000037032024, 'attempt_batched', 1, 'target:cluster', 169, 35, '{"job":35,"attempt":1,"batch":"0badcafe.35.1"}');
insert into events values (174, 1700000037033024, 'job_ready', 1, 'grace@host', 154, 31, '{"job":31}');
insert into events values (175, 1700000037033024, 'attempt_ended', 1, 'target:cluster', 173, 35, '{"job":35,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000037033024,"error":"the cluster began with it, and gave it up or forgot it before its command was started"}}');
insert into events values (176, 1700000037033024, 'job_skipped', 1, 'ada', 175, 36, '{"job":36,"because":35,"reason":"after job 35, which failed"}');
insert into events values (177, 1700000037033024, 'attempt_ended', 1, 'target:local', 170, 37, '{"job":37,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000037033024,"error":"no such file","cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000037659362}');
insert into events values (178, 1700000039033024, 'job_ready', 1, 'scheduler', 177, 37, '{"job":37}');
insert into events values (179, 1700000036033024, 'batch_submitted', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.35.1","id":"705"}');
insert into events values (180, 1700000035033024, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-13","number":13,"jobs":2}');
insert into events values (181, 1700000035033024, 'job_submitted', 1, 'grace@host', 180, 38, '{"job":38,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","cwd":"runs","target":"cluster","needs":{"cpus":1},"retry_on":["failed","lost","timeout"]},"flow":"licence-13"}');
insert into events values (182, 1700000035033024, 'job_submitted', 1, 'grace@host', 180, 39, '{"job":39,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[38],"needs":{"cpus":2},"limits":["licence"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"licence-13"}');
insert into events values (183, 1700000037034025, 'attempt_started', 1, 'target:cluster', 156, 24, '{"job":24,"attempt":1,"started_at":1700000037034020,"process":null}');
insert into events values (184, 1700000041034025, 'limit_configured', 1, 'grace@host', null, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (185, 1700000041034025, 'job_submitted', 1, 'grace@host', null, 40, '{"job":40,"state":"ready","spec":{"run":["true"],"name":"job 0 é","needs":{"cpus":2},"retry_on":["failed","lost","timeout"],"key":"key 30"}}');
insert into events values (186, 1700000041034025, 'job_submitted', 1, 'grace@host', null, 41, '{"job":41,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[40],"after_any":[40],"needs":{"cpus":2},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (187, 1700000041034025, 'job_submitted', 1, 'grace@host', null, 42, '{"job":42,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","cwd":"runs","after":[15,41],"after_any":[41],"target":"cluster","needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"]}}');
insert into events values (188, 1700000041034025, 'job_submitted', 1, 'grace@host', null, 43, '{"job":43,"state":"ready","spec":{"run":["true"],"cwd":"runs","target":"cluster","needs":{"cpus":2},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (189, 1700000043035025, 'limit_configured', 1, 'scheduler', null, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (190, 1700000043035025, 'job_submitted', 1, 'scheduler', null, 44, '{"job":44,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after":[27],"after_any":[27],"needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]}}');
insert into events values (191, 1700000047035025, 'limit_configured', 1, 'grace@host', null, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (192, 1700000047035025, 'job_submitted', 1, 'grace@host', null, 45, '{"job":45,"state":"ready","spec":{"run":["true"],"name":"job 0 é","cwd":"runs","target":"cluster","needs":{"cpus":2},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (193, 1700000047035025, 'job_submitted', 1, 'grace@host', null, 46, '{"job":46,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[45,10],"needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"],"key":"key 43"}}');
insert into events values (194, 1700000047035025, 'job_skipped', 1, 'grace@host', 193, 46, '{"job":46,"because":10,"reason":"after job 10, which was skipped"}');
insert into events values (195, 1700000046037025, 'target_configured', 1, 'ada', null, null, '{"target":"local","capacity":{"cpus":2}}');
insert into events values (196, 1700000046037025, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"local-14","number":14,"jobs":2}');
insert into events values (197, 1700000046037025, 'job_submitted', 1, 'scheduler', 196, 47, '{"job":47,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after_failed":[39],"needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-14"}');
insert into events values (198, 1700000046037025, 'job_submitted', 1, 'scheduler', 196, 48, '{"job":48,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","cwd":"runs","target":"cluster","needs":{"cpus":2},"limits":["licence:a"],"retry_on":["failed","lost","timeout"],"key":"key 38"},"flow":"local-14"}');
insert into events values (199, 1700000050037026, 'batch_unclear', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.24.1","reason":"Socket timed out on send/recv operation"}');
insert into events values (200, 1700000052037026, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-1","boot":"boot-1","pid":77}');
insert into events values (201, 1700000056037027, 'attempt_launched', 1, 'scheduler', 178, 37, '{"job":37,"attempt":2,"token":"0badcafe.37.2","target":"local","grants":{"licence":1700000056537027}}');
insert into events values (202, 1700000056037027, 'attempt_launched', 1, 'scheduler', 192, 45, '{"job":45,"attempt":1,"token":"0badcafe.45.1","target":"cluster"}');
insert into events values (203, 1700000056037027, 'attempt_launched', 1, 'scheduler', 185, 40, '{"job":40,"attempt":1,"token":"0badcafe.40.1","target":"local"}');
insert into events values (204, 1700000058037027, 'batch_submitted', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.24.1","id":"648","found":true}');
insert into events values (205, 1700000058037027, 'limit_configured', 1, 'scheduler', null, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (206, 1700000058037027, 'job_submitted', 1, 'scheduler', null, 49, '{"job":49,"state":"ready","spec":{"run":["true"],"name":"job 0 é","needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"]}}');
insert into events values (207, 1700000058037027, 'job_submitted', 1, 'scheduler', null, 50, '{"job":50,"state":"ready","spec":{"run":["true"],"needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"],"key":"key 33"}}');
insert into events values (208, 1700000058037027, 'target_configured', 1, 'ada', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (209, 1700000058038027, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.45.1","size":1,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.45.1\n","sha256":"44dcdcb81cc5c6030804de5a1457183570dc28a2a4218d0dc77033bc47cb92eb"}');
insert into events values (210, 1700000058038027, 'attempt_batched', 1, 'target:cluster', 202, 45, '{"job":45,"attempt":1,"batch":"0badcafe.45.1"}');
insert into events values (211, 1700000060038027, 'attempt_started', 1, 'target:cluster', 210, 45, '{"job":45,"attempt":1,"started_at":1700000060038022,"process":null}');
insert into events values (212, 1700000060038027, 'attempt_started', 1, 'target:cluster', 146, 15, '{"job":15,"attempt":2,"started_at":1700000060038022,"process":null}');
insert into events values (213, 1700000060038027, 'attempt_ended', 1, 'target:cluster', 183, 24, '{"job":24,"attempt":1,"outcome":{"how":"exited","ended_at":1700000060038027,"started_at":1700000060037027,"exit_code":1,"word":"COMPLETED","nodes":"node[1-2]"},"retry_at":1700000060974673}');
insert into events values (214, 1700000062038027, 'attempt_unreachable', 1, 'target:cluster', 212, 15, '{"job":15,"attempt":2,"reason":"it does not answer"}');
insert into events values (215, 1700000062038027, 'attempt_unreachable', 1, 'target:cluster', 211, 45, '{"job":45,"attempt":1,"reason":"it does not answer"}');
insert into events values (216, 1700000062038028, 'attempt_started', 1, 'target:local', 203, 40, '{"job":40,"attempt":1,"started_at":1700000062038023,"process":{"pid":4711,"start":12}}');
insert into events values (217, 1700000059039028, 'job_ready', 1, 'grace@host', 213, 24, '{"job":24}');
insert into events values (218, 1700000061039028, 'attempt_unreachable', 1, 'target:local', 201, 37, '{"job":37,"attempt":2,"reason":"it does not answer"}');
insert into events values (219, 1700000061039028, 'attempt_unreachable', 1, 'target:local', 216, 40, '{"job":40,"attempt":1,"reason":"it does not answer"}');
insert into events values (220, 1700000061040028, 'batch_waits', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.35.1","reason":"Resources"}');
insert into events values (221, 1700000060040028, 'batch_waits', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.35.1","reason":"Priority"}');
insert into events values (222, 1700000057040028, 'attempt_launched', 1, 'ada', 206, 49, '{"job":49,"attempt":1,"token":"0badcafe.49.1","target":"local","grants":{"licence:a":1700000057540028}}');
insert into events values (223, 1700000057040028, 'attempt_launched', 1, 'ada', 207, 50, '{"job":50,"attempt":1,"token":"0badcafe.50.1","target":"local","grants":{"licence:a":1700000057540028}}');
insert into events values (224, 1700000059040028, 'attempt_reached', 1, 'target:local', 218, 37, '{"job":37,"attempt":2}');
insert into events values (225, 1700000059040028, 'attempt_ended', 1, 'target:local', 219, 40, '{"job":40,"attempt":1,"outcome":{"how":"stopped","ended_at":1700000059040028,"started_at":1700000059039028,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (226, 1700000059040028, 'job_skipped', 1, 'scheduler', 225, 41, '{"job":41,"because":40,"reason":"after job 40, which was cancelled"}');
insert into events values (227, 1700000059040028, 'job_skipped', 1, 'scheduler', 226, 42, '{"job":42,"because":41,"reason":"after job 41, which was skipped"}');
insert into events values (228, 1700000059040028, 'attempt_launched', 1, 'ada', 181, 38, '{"job":38,"attempt":1,"token":"0badcafe.38.1","target":"cluster"}');
insert into events values (229, 1700000061040029, 'target_paused', 1, 'scheduler', null, null, '{"target":"local"}');
insert into events values (230, 1700000061040029, 'target_paused', 1, 'scheduler', null, null, '{"target":"cluster"}');
insert into events values (231, 1700000061040029, 'allocation_requested', 1, 'target:cluster', null, null, '{"allocation":"cluster/4","target":"cluster","number":4,"capacity":{"cpus":4},"time_us":3600000000}');
insert into events values (232, 1700000061040030, 'attempt_ended', 1, 'target:local', 224, 37, '{"job":37,"attempt":2,"outcome":{"how":"stopped","ended_at":1700000061040030,"started_at":1700000061039030,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (233, 1700000061040030, 'attempt_ended', 1, 'target:local', 222, 49, '{"job":49,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000061040030,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (234, 1700000061040030, 'attempt_ended', 1, 'target:local', 223, 50, '{"job":50,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000061040030,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (235, 1700000061041030, 'job_submitted', 1, 'scheduler', null, 51, '{"job":51,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","cwd":"runs","after":[44,41],"target":"cluster","needs":{"cpus":2},"limits":["licence"],"retry_on":["failed","lost","timeout"],"key":"key 46"}}');
insert into events values (236, 1700000061041030, 'job_skipped', 1, 'scheduler', 235, 51, '{"job":51,"because":41,"reason":"after job 41, which was skipped"}');
insert into events values (237, 1700000061041031, 'batch_waits', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.24.1","reason":"Priority"}');
insert into events values (238, 1700000055043032, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.38.1","size":1,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.38.1\n","sha256":"7e7543b6c7e62b90a0b97d5e66441a30b2e199f4cb600648ad857dfb00c6fcde"}');
insert into events values (239, 1700000055043032, 'attempt_batched', 1, 'target:cluster', 228, 38, '{"job":38,"attempt":1,"batch":"0badcafe.38.1"}');
insert into events values (240, 1700000054044032, 'limit_configured', 1, 'scheduler', null, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (241, 1700000054044032, 'job_submitted', 1, 'scheduler', null, 52, '{"job":52,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","cwd":"runs","target":"cluster","needs":{"cpus":1},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (242, 1700000054044032, 'job_submitted', 1, 'scheduler', null, 53, '{"job":53,"state":"waiting","spec":{"run":["true"],"after_any":[52],"needs":{"cpus":1},"limits":["licence:a"],"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (243, 1700000056044032, 'attempt_launched', 1, 'ada', 241, 52, '{"job":52,"attempt":1,"token":"0badcafe.52.1","target":"cluster","grants":{"licence:a":1700000056544032}}');
insert into events values (244, 1700000056044032, 'attempt_launched', 1, 'ada', 217, 24, '{"job":24,"attempt":2,"token":"0badcafe.24.2","target":"cluster","grants":{"licence:a":1700000056544032}}');
insert into events values (245, 1700000058044032, 'batch_closed', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.45.1","reason":"it was taken back"}');
insert into events values (246, 1700000060044032, 'attempt_unreachable', 1, 'target:cluster', 243, 52, '{"job":52,"attempt":1,"reason":"the controller does not answer"}');
insert into events values (247, 1700000060044032, 'attempt_ended', 1, 'target:cluster', 215, 45, '{"job":45,"attempt":1,"outcome":{"how":"exited","ended_at":1700000060044032,"started_at":1700000060043032,"exit_code":0,"word":"COMPLETED","nodes":"node[1-2]","queued_us":7000000}}');
insert into events values (248, 1700000060044032, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-15","number":15,"jobs":2}');
insert into events values (249, 1700000060044032, 'limit_configured', 1, 'grace@host', 248, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (250, 1700000060044032, 'job_submitted', 1, 'grace@host', 248, 54, '{"job":54,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after_any":[6],"needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 47"},"flow":"licence-15"}');
insert into events values (251, 1700000060044032, 'job_submitted', 1, 'grace@host', 248, 55, '{"job":55,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after_any":[54],"needs":{"cpus":1},"retry_on":["failed","lost","timeout"],"key":"key 8"},"flow":"licence-15"}');
insert into events values (252, 1700000060044033, 'attempt_launched', 1, 'ada', 188, 43, '{"job":43,"attempt":1,"token":"0badcafe.43.1","target":"cluster"}');
insert into events values (253, 1700000062044033, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"nightly-16","number":16,"jobs":1,"digest":"d2"}');
insert into events values (254, 1700000062044033, 'limit_configured', 1, 'grace@host', 253, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (255, 1700000062044033, 'job_submitted', 1, 'grace@host', 253, 56, '{"job":56,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[44,22],"after_any":[44],"needs":{"cpus":2},"limits":["licence"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-16"}');
insert into events values (256, 1700000064044034, 'batch_closed', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.35.1","reason":"it was taken back"}');
insert into events values (257, 1700000066044034, 'allocation_ended', 1, 'target:cluster', null, null, '{"allocation":"cluster/4","reason":"its script failed","word":"FAILED"}');
insert into events values (258, 1700000066045034, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"nightly-17","number":17,"jobs":1,"digest":"d1"}');
insert into events values (259, 1700000066045034, 'limit_configured', 1, 'scheduler', 258, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (260, 1700000066045034, 'job_submitted', 1, 'scheduler', 258, 57, '{"job":57,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[5,13],"after_any":[13],"needs":{"cpus":1},"retry_on":["failed","lost","timeout"],"key":"key 20"},"flow":"nightly-17"}');
insert into events values (261, 1700000066045034, 'job_skipped', 1, 'scheduler', 260, 57, '{"job":57,"because":5,"reason":"after job 5, which was cancelled"}');
insert into events values (262, 1700000066045034, 'attempt_launched', 1, 'ada', 198, 48, '{"job":48,"attempt":1,"token":"0badcafe.48.1","target":"cluster","grants":{"licence:a":1700000066545034}}');
insert into events values (263, 1700000066045034, 'attempt_launched', 1, 'ada', 174, 31, '{"job":31,"attempt":2,"token":"0badcafe.31.2","target":"local"}');
insert into events values (264, 1700000066046035, 'attempt_ended', 1, 'target:cluster', 246, 52, '{"job":52,"attempt":1,"outcome":{"how":"killed","ended_at":1700000066046035,"started_at":1700000066045035,"error":"it used more memory than it was given","word":"OUT_OF_MEMORY","nodes":"node[1-2]"},"retry_at":1700000066099433}');
insert into events values (265, 1700000066046035, 'batch_planned', 1, 'target:cluster', null, null, '{"target":"cluster","batch":"0badcafe.43.1","size":2,"script":"#!/bin/sh\n# ''ä'' \\ 0badcafe.43.1\n","sha256":"ed1486111fa5888c84bb8b3307fbc5f17ad9f875e2cd5d3861af785c55cb732b"}');
insert into events values (266, 1700000066046035, 'attempt_batched', 1, 'target:cluster', 252, 43, '{"job":43,"attempt":1,"batch":"0badcafe.43.1","index":0}');
insert into events values (267, 1700000066046035, 'attempt_batched', 1, 'target:cluster', 262, 48, '{"job":48,"attempt":1,"batch":"0badcafe.43.1","index":1}');
CREATE INDEX events_job on events (job);
CREATE TABLE meta (
    name  text primary key,
    value any
) strict, without rowid;
insert into meta values ('views_seq', 267);
CREATE TABLE job (
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
insert into job values (1, 7, 59, 1699999997001002, '', 'licence-1', null, 'cancelled', 0, '{"id":1,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1699999993004005,"reason":"cancelled","started_at":1699999993003005},"priority":5,"attempt":2,"failures":1}');
insert into job values (2, 8, 64, 1699999997001002, 'job 1 é', 'licence-1', null, 'cancelled', 0, '{"id":2,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000003005005,"reason":"no such file"},"priority":-1000000,"attempt":1,"failures":1}');
insert into job values (3, 9, 65, 1699999997001002, 'job 2 é', 'licence-1', null, 'skipped', 0, '{"id":3,"policy":{"target":"cluster","limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000003005005,"because":2,"reason":"after job 2, which was cancelled","held":true},"priority":5}');
insert into job values (4, 11, 39, 1700000001001002, '', null, null, 'cancelled', 0, '{"id":4,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1699999998003003,"reason":"cancelled"},"priority":5}');
insert into job values (5, 12, 89, 1700000001001002, 'job 1 é', null, 'key 5', 'cancelled', 0, '{"id":5,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000011008010,"reason":"no such file"},"attempt":2,"failures":2}');
insert into job values (6, 13, 17, 1700000001001002, 'job 2 é', null, null, 'held', 1, '{"id":6,"policy":{"target":"cluster","needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1699999996001002}}');
insert into job values (7, 21, 40, 1699999995001002, 'job 0 é', 'licence-2', null, 'cancelled', 0, '{"id":7,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1699999998003003,"reason":"cancelled"}}');
insert into job values (8, 22, 41, 1699999995001002, 'job 1 é', 'licence-2', null, 'skipped', 0, '{"id":8,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1699999998003003,"because":7,"reason":"after job 7, which was cancelled"}}');
insert into job values (9, 23, 42, 1699999995001002, '', 'licence-2', null, 'skipped', 0, '{"id":9,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1699999998003003,"because":7,"reason":"after job 7, which was cancelled"},"priority":5}');
insert into job values (10, 24, 90, 1699999995001002, '', 'licence-2', null, 'skipped', 0, '{"id":10,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000011008010,"because":5,"reason":"after job 5, which was cancelled"}}');
insert into job values (11, 32, 55, 1699999999002003, 'job 0 é', 'licence-3', null, 'succeeded', 0, '{"id":11,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1699999989003005,"ended_at":1699999989004005},"attempt":1,"failures":1}');
insert into job values (12, 35, 91, 1699999996003003, 'job 0 é', 'local-4', null, 'skipped', 0, '{"id":12,"policy":{"needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000011008010,"because":5,"reason":"after job 5, which was cancelled"},"priority":-1000000}');
insert into job values (13, 36, 78, 1699999996003003, 'job 1 é', 'local-4', 'key 29', 'cancelled', 0, '{"id":13,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000010005010,"reason":"cancelled"},"priority":5}');
insert into job values (14, 37, 77, 1699999996003003, 'job 2 é', 'local-4', null, 'cancelled', 0, '{"id":14,"policy":{"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000010005010,"reason":"cancelled"},"priority":5}');
insert into job values (15, 57, 214, 1699999991004005, 'job 0 é', null, null, 'unknown', 2, '{"id":15,"policy":{"target":"cluster","limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"unknown","since":1700000062038027,"reason":"it does not answer","started_at":1700000060038022},"attempt":2,"failures":1}');
insert into job values (16, 58, 134, 1699999991004005, '', null, 'key 9', 'cancelled', 0, '{"id":16,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000031019019,"reason":"cancelled","started_at":1700000031018019},"attempt":2,"failures":2}');
insert into job values (17, 63, 107, 1699999997005005, 'job 0 é', 'local-5', null, 'cancelled', 0, '{"id":17,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000016014013,"reason":"cancelled","started_at":1700000016013013},"attempt":1,"failures":1}');
insert into job values (18, 70, 92, 1700000006005007, 'job 0 é', 'local-6', null, 'skipped', 0, '{"id":18,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000011008010,"because":12,"reason":"after job 12, which was skipped"},"priority":-1000000}');
insert into job values (19, 71, 86, 1700000006005007, 'job 1 é', 'local-6', null, 'held', 1, '{"id":19,"policy":{"target":"cluster","limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1700000011005010},"priority":5,"attempt":1,"failures":1}');
insert into job values (20, 80, 80, 1700000007005010, 'job 0 é', 'local-7', null, 'waiting', 1, '{"id":20,"policy":{"target":"cluster","needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000007005010},"priority":-1000000}');
insert into job values (21, 81, 83, 1700000007005010, 'job 1 é', 'local-7', null, 'skipped', 0, '{"id":21,"policy":{"target":"cluster","limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000007005010,"because":8,"reason":"after job 8, which was skipped"},"priority":5}');
insert into job values (22, 82, 82, 1700000007005010, 'job 2 é', 'local-7', 'key 21', 'waiting', 1, '{"id":22,"policy":{"target":"cluster","needs":[["cpus",2]],"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000007005010}}');
insert into job values (23, 96, 153, 1700000010008011, 'job 0 é', 'nightly-8', null, 'succeeded', 0, '{"id":23,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1700000033028023,"ended_at":1700000033029023},"attempt":1,"failures":1}');
insert into job values (24, 97, 244, 1700000010008011, '', 'nightly-8', 'key 41', 'launching', 2, '{"id":24,"policy":{"target":"cluster","needs":[["cpus",2]],"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"launching","since":1700000056044032},"priority":5,"attempt":2,"failures":1}');
insert into job values (25, 98, 99, 1700000010008011, 'job 2 é', 'nightly-8', null, 'skipped', 0, '{"id":25,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000010008011,"because":1,"reason":"after job 1, which was cancelled"},"priority":5}');
insert into job values (26, 108, 111, 1700000015015015, '', null, null, 'skipped', 0, '{"id":26,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000015015015,"because":21,"reason":"after job 21, which was skipped"},"priority":5}');
insert into job values (27, 109, 168, 1700000015015015, 'job 1 é', null, null, 'unknown', 2, '{"id":27,"policy":{"target":"cluster","needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"unknown","since":1700000037031023,"reason":"it does not answer","started_at":1700000037030018},"attempt":1}');
insert into job values (28, 110, 110, 1700000015015015, 'job 2 é', null, null, 'waiting', 1, '{"id":28,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000015015015}}');
insert into job values (29, 118, 120, 1700000019016016, 'job 1 é', 'local-9', null, 'skipped', 0, '{"id":29,"policy":{"target":"cluster","limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000019016016,"because":14,"reason":"after job 14, which was cancelled"}}');
insert into job values (30, 119, 119, 1700000019016016, 'job 2 é', 'local-9', null, 'waiting', 1, '{"id":30,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000019016016}}');
insert into job values (31, 126, 263, 1700000021017017, 'job 0 é', 'nightly-10', null, 'launching', 2, '{"id":31,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"launching","since":1700000066045034},"priority":5,"attempt":2,"failures":1}');
insert into job values (32, 127, 127, 1700000021017017, 'job 1 é', 'nightly-10', null, 'waiting', 1, '{"id":32,"policy":{"target":"cluster","limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000021017017}}');
insert into job values (33, 128, 140, 1700000021017017, 'job 2 é', 'nightly-10', null, 'waiting', 1, '{"id":33,"policy":{"target":"cluster","needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000021017017},"priority":2}');
insert into job values (34, 144, 145, 1700000034026021, 'job 0 é', 'nightly-11', null, 'skipped', 0, '{"id":34,"policy":{"target":"cluster","needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000034026021,"because":9,"reason":"after job 9, which was skipped"}}');
insert into job values (35, 150, 175, 1700000033029021, 'job 0 é', null, null, 'failed', 0, '{"id":35,"policy":{"target":"cluster","limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1700000037033024,"reason":"the cluster began with it, and gave it up or forgot it before its command was started","started_at":1700000037030018},"attempt":1,"failures":1}');
insert into job values (36, 151, 176, 1700000033029021, 'job 1 é', null, 'key 1', 'skipped', 0, '{"id":36,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000037033024,"because":35,"reason":"after job 35, which failed","held":true}}');
insert into job values (37, 160, 232, 1700000037030023, 'job 0 é', 'licence-12', null, 'cancelled', 0, '{"id":37,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000061040030,"reason":"cancelled","started_at":1700000061039030},"priority":5,"attempt":2,"failures":2}');
insert into job values (38, 181, 239, 1700000035033024, 'job 0 é', 'licence-13', null, 'launching', 2, '{"id":38,"policy":{"target":"cluster","retry_on":["failed","lost","timeout"]},"state":{"state":"launching","since":1700000059040028},"attempt":1}');
insert into job values (39, 182, 182, 1700000035033024, 'job 1 é', 'licence-13', null, 'waiting', 1, '{"id":39,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000035033024},"priority":5}');
insert into job values (40, 185, 225, 1700000041034025, 'job 0 é', null, 'key 30', 'cancelled', 0, '{"id":40,"policy":{"needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000059040028,"reason":"cancelled","started_at":1700000059039028},"attempt":1,"failures":1}');
insert into job values (41, 186, 226, 1700000041034025, 'job 1 é', null, null, 'skipped', 0, '{"id":41,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000059040028,"because":40,"reason":"after job 40, which was cancelled"},"priority":5}');
insert into job values (42, 187, 227, 1700000041034025, 'job 2 é', null, null, 'skipped', 0, '{"id":42,"policy":{"target":"cluster","limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000059040028,"because":41,"reason":"after job 41, which was skipped"}}');
insert into job values (43, 188, 266, 1700000041034025, '', null, null, 'launching', 2, '{"id":43,"policy":{"target":"cluster","needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"launching","since":1700000060044033},"attempt":1}');
insert into job values (44, 190, 190, 1700000043035025, 'job 0 é', null, null, 'waiting', 1, '{"id":44,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000043035025}}');
insert into job values (45, 192, 247, 1700000047035025, 'job 0 é', null, null, 'succeeded', 0, '{"id":45,"policy":{"target":"cluster","needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1700000060043032,"ended_at":1700000060044032},"attempt":1,"failures":1}');
insert into job values (46, 193, 194, 1700000047035025, 'job 1 é', null, 'key 43', 'skipped', 0, '{"id":46,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000047035025,"because":10,"reason":"after job 10, which was skipped"}}');
insert into job values (47, 197, 197, 1700000046037025, 'job 0 é', 'local-14', null, 'waiting', 1, '{"id":47,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000046037025}}');
insert into job values (48, 198, 267, 1700000046037025, 'job 1 é', 'local-14', 'key 38', 'launching', 2, '{"id":48,"policy":{"target":"cluster","needs":[["cpus",2]],"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"launching","since":1700000066045034},"attempt":1}');
insert into job values (49, 206, 233, 1700000058037027, 'job 0 é', null, null, 'failed', 0, '{"id":49,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1700000061040030,"reason":"no such file"},"attempt":1,"failures":1}');
insert into job values (50, 207, 234, 1700000058037027, '', null, 'key 33', 'failed', 0, '{"id":50,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1700000061040030,"reason":"no such file"},"attempt":1,"failures":1}');
insert into job values (51, 235, 236, 1700000061041030, 'job 0 é', null, 'key 46', 'skipped', 0, '{"id":51,"policy":{"target":"cluster","needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000061041030,"because":41,"reason":"after job 41, which was skipped"}}');
insert into job values (52, 241, 264, 1700000054044032, 'job 0 é', null, null, 'delayed', 1, '{"id":52,"policy":{"target":"cluster","limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"delayed","since":1700000066046035,"due_at":1700000066099433,"reason":"it used more memory than it was given"},"attempt":1,"failures":1}');
insert into job values (53, 242, 242, 1700000054044032, '', null, null, 'waiting', 1, '{"id":53,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000054044032},"priority":-1000000}');
insert into job values (54, 250, 250, 1700000060044032, 'job 0 é', 'licence-15', 'key 47', 'waiting', 1, '{"id":54,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000060044032}}');
insert into job values (55, 251, 251, 1700000060044032, 'job 1 é', 'licence-15', 'key 8', 'waiting', 1, '{"id":55,"policy":{"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000060044032}}');
insert into job values (56, 255, 255, 1700000062044033, 'job 1 é', 'nightly-16', null, 'waiting', 1, '{"id":56,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000062044033},"priority":5}');
insert into job values (57, 260, 261, 1700000066045034, '', 'nightly-17', 'key 20', 'skipped', 0, '{"id":57,"policy":{"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000066045034,"because":5,"reason":"after job 5, which was cancelled"}}');
CREATE UNIQUE INDEX job_key on job (key) where key is not null;
CREATE INDEX job_flow on job (flow);
CREATE INDEX job_live on job (activity) where activity > 0;
CREATE TABLE dependency (
    job    integer not null,
    needed integer not null,
    kind   integer not null,        -- 0 after, 1 after_any, 2 after_failed
    primary key (job, needed, kind)
) strict, without rowid;
insert into dependency values (25, 1, 0);
insert into dependency values (3, 2, 0);
insert into dependency values (3, 2, 1);
insert into dependency values (4, 2, 0);
insert into dependency values (4, 2, 1);
insert into dependency values (6, 2, 1);
insert into dependency values (7, 2, 1);
insert into dependency values (8, 2, 0);
insert into dependency values (4, 3, 0);
insert into dependency values (10, 5, 0);
insert into dependency values (12, 5, 0);
insert into dependency values (12, 5, 1);
insert into dependency values (57, 5, 0);
insert into dependency values (20, 6, 0);
insert into dependency values (54, 6, 1);
insert into dependency values (8, 7, 0);
insert into dependency values (9, 7, 0);
insert into dependency values (9, 7, 1);
insert into dependency values (9, 8, 0);
insert into dependency values (21, 8, 0);
insert into dependency values (34, 9, 0);
insert into dependency values (34, 9, 1);
insert into dependency values (46, 10, 0);
insert into dependency values (27, 11, 0);
insert into dependency values (27, 11, 1);
insert into dependency values (13, 12, 0);
insert into dependency values (13, 12, 1);
insert into dependency values (14, 12, 1);
insert into dependency values (18, 12, 0);
insert into dependency values (18, 12, 1);
insert into dependency values (57, 13, 0);
insert into dependency values (57, 13, 1);
insert into dependency values (29, 14, 0);
insert into dependency values (20, 15, 1);
insert into dependency values (29, 15, 0);
insert into dependency values (29, 15, 1);
insert into dependency values (42, 15, 0);
insert into dependency values (24, 18, 1);
insert into dependency values (21, 20, 0);
insert into dependency values (22, 20, 2);
insert into dependency values (26, 21, 0);
insert into dependency values (26, 21, 2);
insert into dependency values (30, 22, 0);
insert into dependency values (30, 22, 1);
insert into dependency values (56, 22, 0);
insert into dependency values (25, 23, 0);
insert into dependency values (25, 23, 1);
insert into dependency values (28, 27, 1);
insert into dependency values (44, 27, 0);
insert into dependency values (44, 27, 1);
insert into dependency values (32, 31, 0);
insert into dependency values (33, 32, 1);
insert into dependency values (36, 35, 0);
insert into dependency values (36, 35, 2);
insert into dependency values (39, 38, 0);
insert into dependency values (47, 39, 2);
insert into dependency values (41, 40, 0);
insert into dependency values (41, 40, 1);
insert into dependency values (42, 41, 0);
insert into dependency values (42, 41, 1);
insert into dependency values (51, 41, 0);
insert into dependency values (51, 44, 0);
insert into dependency values (56, 44, 0);
insert into dependency values (56, 44, 1);
insert into dependency values (46, 45, 0);
insert into dependency values (53, 52, 1);
insert into dependency values (55, 54, 1);
CREATE INDEX dependency_needed on dependency (needed);
CREATE TABLE flow (
    id     text    primary key,
    number integer not null,
    seq    integer not null,
    digest text,
    data   text    not null
) strict, without rowid;
insert into flow values ('licence-1', 1, 5, 'd2', '{"id":"licence-1","number":1,"jobs":3,"digest":"d2"}');
insert into flow values ('licence-12', 12, 159, 'd2', '{"id":"licence-12","number":12,"jobs":1,"digest":"d2"}');
insert into flow values ('licence-13', 13, 180, null, '{"id":"licence-13","number":13,"jobs":2}');
insert into flow values ('licence-15', 15, 248, null, '{"id":"licence-15","number":15,"jobs":2}');
insert into flow values ('licence-2', 2, 20, 'd2', '{"id":"licence-2","number":2,"jobs":4,"digest":"d2"}');
insert into flow values ('licence-3', 3, 30, 'd1', '{"id":"licence-3","number":3,"jobs":1,"digest":"d1"}');
insert into flow values ('local-14', 14, 196, null, '{"id":"local-14","number":14,"jobs":2}');
insert into flow values ('local-4', 4, 33, null, '{"id":"local-4","number":4,"jobs":3}');
insert into flow values ('local-5', 5, 61, 'd1', '{"id":"local-5","number":5,"jobs":1,"digest":"d1"}');
insert into flow values ('local-6', 6, 68, 'd2', '{"id":"local-6","number":6,"jobs":2,"digest":"d2"}');
insert into flow values ('local-7', 7, 79, null, '{"id":"local-7","number":7,"jobs":3}');
insert into flow values ('local-9', 9, 116, 'd1', '{"id":"local-9","number":9,"jobs":2,"digest":"d1"}');
insert into flow values ('nightly-10', 10, 125, 'd2', '{"id":"nightly-10","number":10,"jobs":3,"digest":"d2"}');
insert into flow values ('nightly-11', 11, 143, 'd1', '{"id":"nightly-11","number":11,"jobs":1,"digest":"d1"}');
insert into flow values ('nightly-16', 16, 253, 'd2', '{"id":"nightly-16","number":16,"jobs":1,"digest":"d2"}');
insert into flow values ('nightly-17', 17, 258, 'd1', '{"id":"nightly-17","number":17,"jobs":1,"digest":"d1"}');
insert into flow values ('nightly-8', 8, 94, 'd1', '{"id":"nightly-8","number":8,"jobs":3,"digest":"d1"}');
CREATE UNIQUE INDEX flow_number on flow (number);
CREATE INDEX flow_digest on flow (digest) where digest is not null;
CREATE TABLE target (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;
insert into target values ('cluster', 230, '{"name":"cluster","paused":true,"slurm":{"partition":"main","sbatch":{"qos":"long"},"max_queued":50}}');
insert into target values ('cluster/1', 67, '{"name":"cluster/1","capacity":{"cpus":4},"allocation":{"cluster":"cluster","number":1,"time_us":3600000000,"state":{"state":"retired","since":1700000009005005,"reason":"its script failed"},"released":"nothing to do"}}');
insert into target values ('cluster/2', 167, '{"name":"cluster/2","capacity":{"cpus":4},"allocation":{"cluster":"cluster","number":2,"time_us":3600000000,"state":{"state":"retired","since":1700000040031023,"reason":"its time was over"}}}');
insert into target values ('cluster/3', 161, '{"name":"cluster/3","capacity":{"cpus":4},"allocation":{"cluster":"cluster","number":3,"time_us":3600000000,"state":{"state":"retired","since":1700000036030023,"reason":"its script failed"}}}');
insert into target values ('cluster/4', 257, '{"name":"cluster/4","capacity":{"cpus":4},"allocation":{"cluster":"cluster","number":4,"time_us":3600000000,"state":{"state":"over","since":1700000066044034,"reason":"its script failed"}}}');
insert into target values ('local', 229, '{"name":"local","capacity":{"cpus":4},"paused":true,"journal":"journal-1","boot":"boot-1","pid":77}');
CREATE TABLE limit_ (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;
insert into limit_ values ('licence', 259, '{"name":"licence","spec":{"concurrent":2}}');
CREATE TABLE rate_mark (
    key  text primary key,
    data text not null
) strict, without rowid;
insert into rate_mark values ('licence', '{"key":"licence","arrival_at":1700000056537027}');
insert into rate_mark values ('licence:a', '{"key":"licence:a","arrival_at":1700000066545034}');
CREATE TABLE step (
    name text    not null,
    key  text    not null,
    seq  integer not null,          -- of its step_recorded event, which holds the result
    primary key (name, key)
) strict, without rowid;
CREATE VIEW jobs as
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
CREATE TABLE batch (
    name    text    primary key,      -- the token of its first attempt
    target  text    not null,
    open    integer not null,         -- 1: something of it is still to be expected
    planned integer not null,         -- seq of its batch_planned event, which holds the script
    seq     integer not null,         -- of its newest event
    data    text    not null          -- the record as JSON
) strict, without rowid;
insert into batch values ('0badcafe.15.2', 'cluster', 1, 131, 171, '{"name":"0badcafe.15.2","target":"cluster","size":1,"planned_at":1700000027019019,"state":{"state":"unclear","since":1700000037032024,"reason":"Socket timed out on send/recv operation"}}');
insert into batch values ('0badcafe.24.1', 'cluster', 1, 155, 237, '{"name":"0badcafe.24.1","target":"cluster","size":2,"planned_at":1700000033030023,"state":{"state":"submitted","since":1700000058037027,"id":"648","reason":"Priority"}}');
insert into batch values ('0badcafe.35.1', 'cluster', 0, 172, 256, '{"name":"0badcafe.35.1","target":"cluster","size":1,"planned_at":1700000037032024,"state":{"state":"closed","since":1700000064044034,"reason":"it was taken back","id":"705"}}');
insert into batch values ('0badcafe.38.1', 'cluster', 1, 238, 238, '{"name":"0badcafe.38.1","target":"cluster","size":1,"planned_at":1700000055043032,"state":{"state":"planned"}}');
insert into batch values ('0badcafe.43.1', 'cluster', 1, 265, 265, '{"name":"0badcafe.43.1","target":"cluster","size":2,"planned_at":1700000066046035,"state":{"state":"planned"}}');
insert into batch values ('0badcafe.45.1', 'cluster', 0, 209, 245, '{"name":"0badcafe.45.1","target":"cluster","size":1,"planned_at":1700000058038027,"state":{"state":"closed","since":1700000058044032,"reason":"it was taken back"}}');
CREATE INDEX batch_open on batch (target) where open = 1;
CREATE VIEW attempts as
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
