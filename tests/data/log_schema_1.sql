pragma application_id = 1215261796;
pragma user_version = 1;
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
insert into events values (2, 1700000000000000, 'target_configured', 1, 'scheduler', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (3, 1700000002000000, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-1","boot":"boot-1","pid":77}');
insert into events values (4, 1700000001000000, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"local-1","number":1,"jobs":1}');
insert into events values (5, 1700000001000000, 'limit_configured', 1, 'grace@host', 4, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (6, 1700000001000000, 'job_submitted', 1, 'grace@host', 4, 1, '{"job":1,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":1},"limits":["licence"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-1"}');
insert into events values (7, 1700000001001000, 'target_configured', 1, 'scheduler', null, null, '{"target":"local","capacity":{"cpus":3}}');
insert into events values (8, 1699999997001000, 'job_held', 1, 'ada', null, 1, '{"job":1}');
insert into events values (9, 1699999999001000, 'target_configured', 1, 'grace@host', null, null, '{"target":"local","capacity":{"cpus":5}}');
insert into events values (10, 1699999999002000, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-2","boot":"boot-2","pid":78}');
insert into events values (11, 1699999998002000, 'target_attached', 1, 'target:local', null, null, '{"target":"local","journal":"journal-1","boot":"boot-1","pid":77}');
insert into events values (12, 1700000001003001, 'flow_submitted', 1, 'ada', null, null, '{"flow":"licence-2","number":2,"jobs":2}');
insert into events values (13, 1700000001003001, 'job_submitted', 1, 'ada', 12, 2, '{"job":2,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after":[1],"after_any":[1],"needs":{"cpus":2},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"licence-2"}');
insert into events values (14, 1700000001003001, 'job_submitted', 1, 'ada', 12, 3, '{"job":3,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[2],"after_any":[2],"needs":{"cpus":2},"limits":["licence"],"priority":5,"retry_on":["failed","lost","timeout"],"key":"key 12"},"flow":"licence-2"}');
insert into events values (15, 1700000003003001, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"nightly-3","number":3,"jobs":3,"digest":"d2"}');
insert into events values (16, 1700000003003001, 'job_submitted', 1, 'grace@host', 15, 4, '{"job":4,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[2,3],"needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retry_on":["failed","lost","timeout"],"key":"key 26"},"flow":"nightly-3"}');
insert into events values (17, 1700000003003001, 'job_submitted', 1, 'grace@host', 15, 5, '{"job":5,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","needs":{"cpus":1},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-3"}');
insert into events values (18, 1700000003003001, 'job_submitted', 1, 'grace@host', 15, 6, '{"job":6,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[5],"after_failed":[5],"needs":{"cpus":2},"limits":["licence"],"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"nightly-3"}');
insert into events values (19, 1700000006003001, 'attempt_launched', 1, 'ada', 17, 5, '{"job":5,"attempt":1,"token":"0badcafe.5.1","target":"local","grants":{"licence:a":1700000006503001}}');
insert into events values (20, 1700000003003001, 'limit_configured', 1, 'grace@host', null, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (21, 1700000003003001, 'job_submitted', 1, 'grace@host', null, 7, '{"job":7,"state":"ready","spec":{"run":["true"],"name":"job 0 é","needs":{"cpus":1},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (22, 1700000003003001, 'job_submitted', 1, 'grace@host', null, 8, '{"job":8,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after":[7],"after_any":[7],"needs":{"cpus":2},"limits":["licence"],"priority":-1000000,"retry_on":["failed","lost","timeout"],"key":"key 20"}}');
insert into events values (23, 1700000003003001, 'job_submitted', 1, 'grace@host', null, 9, '{"job":9,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","needs":{"cpus":1},"limits":["licence"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 34"}}');
insert into events values (24, 1700000003003001, 'job_submitted', 1, 'grace@host', null, 10, '{"job":10,"state":"waiting","spec":{"run":["true"],"name":"job 3 é","after":[9],"after_failed":[9],"needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 42"}}');
insert into events values (25, 1700000000003001, 'attempt_ended', 1, 'target:local', 19, 5, '{"job":5,"attempt":1,"outcome":{"how":"exited","ended_at":1700000000003001,"started_at":1700000000002001,"exit_code":0,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (26, 1700000000003001, 'job_skipped', 1, 'ada', 25, 6, '{"job":6,"because":5,"reason":"after_failed job 5, which succeeded","unneeded":true}');
insert into events values (27, 1700000000004001, 'job_prioritised', 1, 'ada', null, 7, '{"job":7,"priority":-3}');
insert into events values (28, 1700000000004001, 'job_prioritised', 1, 'ada', null, 1, '{"job":1,"priority":-3}');
insert into events values (29, 1700000003004002, 'attempt_launched', 1, 'grace@host', 27, 7, '{"job":7,"attempt":1,"token":"0badcafe.7.1","target":"local"}');
insert into events values (30, 1700000003004002, 'attempt_launched', 1, 'grace@host', 23, 9, '{"job":9,"attempt":1,"token":"0badcafe.9.1","target":"local","grants":{"licence":1700000003504002}}');
insert into events values (31, 1700000005004002, 'attempt_unreachable', 1, 'target:local', 29, 7, '{"job":7,"attempt":1,"reason":"it does not answer"}');
insert into events values (32, 1700000005004002, 'attempt_unreachable', 1, 'target:local', 30, 9, '{"job":9,"attempt":1,"reason":"it does not answer"}');
insert into events values (33, 1700000002004002, 'attempt_ended', 1, 'target:local', 31, 7, '{"job":7,"attempt":1,"outcome":{"how":"exited","ended_at":1700000002004002,"started_at":1700000002003002,"exit_code":1,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000002851311}');
insert into events values (34, 1700000002004002, 'attempt_reached', 1, 'target:local', 32, 9, '{"job":9,"attempt":1}');
insert into events values (35, 1700000001004002, 'job_ready', 1, 'grace@host', 33, 7, '{"job":7}');
insert into events values (36, 1700000001005002, 'attempt_ended', 1, 'target:local', 34, 9, '{"job":9,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000001005002,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000001436297}');
insert into events values (37, 1700000003006002, 'attempt_launched', 1, 'scheduler', 35, 7, '{"job":7,"attempt":2,"token":"0badcafe.7.2","target":"local"}');
insert into events values (38, 1700000003007002, 'attempt_unreachable', 1, 'target:local', 37, 7, '{"job":7,"attempt":2,"reason":"it does not answer"}');
insert into events values (39, 1700000003007002, 'attempt_started', 1, 'target:local', 38, 7, '{"job":7,"attempt":2,"started_at":1700000003006997,"process":{"pid":4711,"start":12}}');
insert into events values (40, 1699999997007002, 'job_ready', 1, 'scheduler', 36, 9, '{"job":9}');
insert into events values (41, 1699999994007002, 'attempt_unreachable', 1, 'target:local', 39, 7, '{"job":7,"attempt":2,"reason":"it does not answer"}');
insert into events values (42, 1699999993007002, 'flow_submitted', 1, 'ada', null, null, '{"flow":"local-4","number":4,"jobs":3,"digest":"d1"}');
insert into events values (43, 1699999993007002, 'job_submitted', 1, 'ada', 42, 11, '{"job":11,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after":[3],"after_any":[5],"needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-4"}');
insert into events values (44, 1699999993007002, 'job_submitted', 1, 'ada', 42, 12, '{"job":12,"state":"held","spec":{"run":["true"],"after":[11,6],"needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"],"hold":true},"flow":"local-4"}');
insert into events values (45, 1699999993007002, 'job_submitted', 1, 'ada', 42, 13, '{"job":13,"state":"ready","spec":{"run":["true"],"name":"job 2 é","needs":{"cpus":2},"retry_on":["failed","lost","timeout"],"key":"key 30"},"flow":"local-4"}');
insert into events values (46, 1699999993007002, 'job_skipped', 1, 'ada', 44, 12, '{"job":12,"because":6,"reason":"after job 6, which was skipped","unneeded":true}');
insert into events values (47, 1699999993008002, 'attempt_ended', 1, 'target:local', 41, 7, '{"job":7,"attempt":2,"outcome":{"how":"exited","ended_at":1699999993008002,"started_at":1699999993007002,"exit_code":0,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (48, 1699999993008002, 'job_ready', 1, 'scheduler', 47, 8, '{"job":8}');
insert into events values (49, 1699999993010002, 'job_prioritised', 1, 'grace@host', null, 4, '{"job":4,"priority":3}');
insert into events values (50, 1699999993010002, 'job_prioritised', 1, 'grace@host', null, 10, '{"job":10,"priority":3}');
insert into events values (51, 1699999994010002, 'target_configured', 1, 'scheduler', null, null, '{"target":"local","capacity":{"cpus":2}}');
insert into events values (52, 1700000000011004, 'attempt_launched', 1, 'ada', 45, 13, '{"job":13,"attempt":1,"token":"0badcafe.13.1","target":"local"}');
insert into events values (53, 1700000000011004, 'attempt_launched', 1, 'ada', 48, 8, '{"job":8,"attempt":1,"token":"0badcafe.8.1","target":"local","grants":{"licence":1700000000511004}}');
insert into events values (54, 1700000000011004, 'attempt_launched', 1, 'ada', 40, 9, '{"job":9,"attempt":2,"token":"0badcafe.9.2","target":"local","grants":{"licence":1700000000511004}}');
insert into events values (55, 1700000000012004, 'target_configured', 1, 'grace@host', null, null, '{"target":"local","capacity":{"cpus":3}}');
insert into events values (56, 1699999997012004, 'attempt_ended', 1, 'target:local', 52, 13, '{"job":13,"attempt":1,"outcome":{"how":"not_started","ended_at":1699999997012004,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (57, 1699999997012004, 'attempt_ended', 1, 'target:local', 53, 8, '{"job":8,"attempt":1,"outcome":{"how":"exited","ended_at":1699999997012004,"started_at":1699999997011004,"exit_code":0,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (58, 1699999997012004, 'attempt_started', 1, 'target:local', 54, 9, '{"job":9,"attempt":2,"started_at":1699999997011999,"process":{"pid":4711,"start":12}}');
insert into events values (59, 1699999997012005, 'attempt_ended', 1, 'target:local', 58, 9, '{"job":9,"attempt":2,"outcome":{"how":"timeout","ended_at":1699999997012005,"started_at":1699999997011005,"signal":15,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (60, 1699999997012005, 'job_skipped', 1, 'ada', 59, 10, '{"job":10,"because":9,"reason":"after job 9, which failed"}');
insert into events values (61, 1699999997012006, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"nightly-5","number":5,"jobs":2}');
insert into events values (62, 1699999997012006, 'limit_configured', 1, 'grace@host', 61, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (63, 1699999997012006, 'job_submitted', 1, 'grace@host', 61, 14, '{"job":14,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after":[3,7],"needs":{"cpus":1},"limits":["licence"],"priority":-1000000,"retry_on":["failed","lost","timeout"]},"flow":"nightly-5"}');
insert into events values (64, 1699999997012006, 'job_submitted', 1, 'grace@host', 61, 15, '{"job":15,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after_any":[14],"needs":{"cpus":1},"retry_on":["failed","lost","timeout"],"key":"key 27"},"flow":"nightly-5"}');
insert into events values (65, 1700000001012006, 'job_cancelled', 1, 'scheduler', null, 14, '{"job":14,"reason":"cancelled"}');
insert into events values (66, 1700000001012006, 'job_ready', 1, 'scheduler', 65, 15, '{"job":15}');
insert into events values (67, 1700000001013006, 'target_paused', 1, 'grace@host', null, null, '{"target":"local"}');
insert into events values (68, 1700000007014010, 'attempt_launched', 1, 'ada', 66, 15, '{"job":15,"attempt":1,"token":"0badcafe.15.1","target":"local"}');
insert into events values (69, 1700000009014010, 'attempt_ended', 1, 'target:local', 68, 15, '{"job":15,"attempt":1,"outcome":{"how":"stopped","ended_at":1700000009014010,"started_at":1700000009013010,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (70, 1700000009015010, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-6","number":6,"jobs":4,"digest":"d2"}');
insert into events values (71, 1700000009015010, 'job_submitted', 1, 'grace@host', 70, 16, '{"job":16,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[6],"needs":{"cpus":1},"limits":["licence:a"],"priority":-1000000,"retry_on":["failed","lost","timeout"],"key":"key 24"},"flow":"licence-6"}');
insert into events values (72, 1700000009015010, 'job_submitted', 1, 'grace@host', 70, 17, '{"job":17,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after_any":[16],"after_failed":[16],"needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retry_on":["failed","lost","timeout"],"key":"key 2"},"flow":"licence-6"}');
insert into events values (73, 1700000009015010, 'job_submitted', 1, 'grace@host', 70, 18, '{"job":18,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","after":[17,2],"after_any":[17],"needs":{"cpus":2},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 15"},"flow":"licence-6"}');
insert into events values (74, 1700000009015010, 'job_submitted', 1, 'grace@host', 70, 19, '{"job":19,"state":"waiting","spec":{"run":["true"],"after":[17,7],"needs":{"cpus":2},"limits":["licence:a"],"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"licence-6"}');
insert into events values (75, 1700000009015010, 'job_skipped', 1, 'grace@host', 71, 16, '{"job":16,"because":6,"reason":"after job 6, which was skipped","unneeded":true}');
insert into events values (76, 1700000009015010, 'job_skipped', 1, 'grace@host', 75, 17, '{"job":17,"because":16,"reason":"after_failed job 16, which was skipped","unneeded":true}');
insert into events values (77, 1700000009015010, 'job_skipped', 1, 'grace@host', 76, 18, '{"job":18,"because":17,"reason":"after job 17, which was skipped","unneeded":true}');
insert into events values (78, 1700000009015010, 'job_skipped', 1, 'grace@host', 76, 19, '{"job":19,"because":17,"reason":"after job 17, which was skipped","unneeded":true}');
insert into events values (79, 1700000010015010, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"licence-7","number":7,"jobs":3,"digest":"d1"}');
insert into events values (80, 1700000010015010, 'job_submitted', 1, 'grace@host', 79, 20, '{"job":20,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[6,17],"needs":{"cpus":2},"limits":["licence"],"retry_on":["failed","lost","timeout"]},"flow":"licence-7"}');
insert into events values (81, 1700000010015010, 'job_submitted', 1, 'grace@host', 79, 21, '{"job":21,"state":"held","spec":{"run":"echo ''ä''; exit 1","after_any":[20],"needs":{"cpus":1},"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 35","hold":true},"flow":"licence-7"}');
insert into events values (82, 1700000010015010, 'job_submitted', 1, 'grace@host', 79, 22, '{"job":22,"state":"waiting","spec":{"run":["true"],"name":"job 2 é","after_any":[20],"needs":{"cpus":1},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"licence-7"}');
insert into events values (83, 1700000010015010, 'job_skipped', 1, 'grace@host', 80, 20, '{"job":20,"because":6,"reason":"after job 6, which was skipped","unneeded":true}');
insert into events values (84, 1700000010015010, 'job_ready', 1, 'grace@host', 83, 22, '{"job":22}');
insert into events values (85, 1700000011016012, 'job_submitted', 1, 'ada', null, 23, '{"job":23,"state":"ready","spec":{"run":["true"],"name":"job 0 é","needs":{"cpus":2},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (86, 1700000011016012, 'job_submitted', 1, 'ada', null, 24, '{"job":24,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after_failed":[23],"needs":{"cpus":2},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (87, 1700000011016012, 'job_submitted', 1, 'ada', null, 25, '{"job":25,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","after":[23,21],"needs":{"cpus":2},"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (88, 1700000011016012, 'job_submitted', 1, 'ada', null, 26, '{"job":26,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 3 é","after":[25],"after_any":[24],"needs":{"cpus":1},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 14"}}');
insert into events values (89, 1700000015016012, 'attempt_launched', 1, 'scheduler', 85, 23, '{"job":23,"attempt":1,"token":"0badcafe.23.1","target":"local","grants":{"licence:a":1700000015516012}}');
insert into events values (90, 1700000015016012, 'attempt_launched', 1, 'scheduler', 84, 22, '{"job":22,"attempt":1,"token":"0badcafe.22.1","target":"local","grants":{"licence:a":1700000015516012}}');
insert into events values (91, 1700000017017012, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"nightly-8","number":8,"jobs":2,"digest":"d1"}');
insert into events values (92, 1700000017017012, 'job_submitted', 1, 'scheduler', 91, 27, '{"job":27,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[6],"after_any":[6],"needs":{"cpus":1},"limits":["licence:a"],"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-8"}');
insert into events values (93, 1700000017017012, 'job_submitted', 1, 'scheduler', 91, 28, '{"job":28,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[18],"after_failed":[18],"needs":{"cpus":2},"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-8"}');
insert into events values (94, 1700000017017012, 'job_skipped', 1, 'scheduler', 92, 27, '{"job":27,"because":6,"reason":"after job 6, which was skipped","unneeded":true}');
insert into events values (95, 1700000017017012, 'job_skipped', 1, 'scheduler', 93, 28, '{"job":28,"because":18,"reason":"after job 18, which was skipped","unneeded":true}');
insert into events values (96, 1700000019017012, 'job_submitted', 1, 'ada', null, 29, '{"job":29,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","after":[4],"after_any":[4],"needs":{"cpus":1},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (97, 1700000019017012, 'job_submitted', 1, 'ada', null, 30, '{"job":30,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after":[4,29],"after_failed":[29],"needs":{"cpus":1},"limits":["licence"],"priority":-1000000,"retry_on":["failed","lost","timeout"]}}');
insert into events values (98, 1700000020017012, 'attempt_started', 1, 'target:local', 89, 23, '{"job":23,"attempt":1,"started_at":1700000020017007,"process":{"pid":4711,"start":12}}');
insert into events values (99, 1700000020017012, 'attempt_ended', 1, 'target:local', 90, 22, '{"job":22,"attempt":1,"outcome":{"how":"timeout","ended_at":1700000020017012,"started_at":1700000020016012,"signal":15,"output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000020893200}');
insert into events values (100, 1700000020017012, 'attempt_ended', 1, 'target:local', 98, 23, '{"job":23,"attempt":1,"outcome":{"how":"exited","ended_at":1700000020017012,"started_at":1700000020016012,"exit_code":0,"cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (101, 1700000020017012, 'job_skipped', 1, 'ada', 100, 24, '{"job":24,"because":23,"reason":"after_failed job 23, which succeeded","unneeded":true}');
insert into events values (102, 1700000019018013, 'target_resumed', 1, 'grace@host', null, null, '{"target":"local"}');
insert into events values (103, 1700000018019014, 'flow_submitted', 1, 'ada', null, null, '{"flow":"local-9","number":9,"jobs":1,"digest":"d1"}');
insert into events values (104, 1700000018019014, 'job_submitted', 1, 'ada', 103, 31, '{"job":31,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[11,20],"after_any":[11],"needs":{"cpus":1},"limits":["licence"],"priority":-1000000,"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"local-9"}');
insert into events values (105, 1700000018019014, 'job_skipped', 1, 'ada', 104, 31, '{"job":31,"because":20,"reason":"after job 20, which was skipped","unneeded":true}');
insert into events values (106, 1700000018020015, 'job_submitted', 1, 'ada', null, 32, '{"job":32,"state":"ready","spec":{"run":"echo ''ä''; exit 1","needs":{"cpus":2},"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (107, 1700000017020015, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"nightly-10","number":10,"jobs":3}');
insert into events values (108, 1700000017020015, 'limit_configured', 1, 'grace@host', 107, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (109, 1700000017020015, 'job_submitted', 1, 'grace@host', 107, 33, '{"job":33,"state":"held","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"],"hold":true},"flow":"nightly-10"}');
insert into events values (110, 1700000017020015, 'job_submitted', 1, 'grace@host', 107, 34, '{"job":34,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after_any":[33],"needs":{"cpus":2},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 33"},"flow":"nightly-10"}');
insert into events values (111, 1700000017020015, 'job_submitted', 1, 'grace@host', 107, 35, '{"job":35,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","name":"job 2 é","after_failed":[33],"needs":{"cpus":2},"limits":["licence"],"retry_on":["failed","lost","timeout"],"key":"key 23"},"flow":"nightly-10"}');
insert into events values (112, 1700000019020015, 'attempt_launched', 1, 'grace@host', 106, 32, '{"job":32,"attempt":1,"token":"0badcafe.32.1","target":"local"}');
insert into events values (113, 1700000021020016, 'job_ready', 1, 'scheduler', 99, 22, '{"job":22}');
insert into events values (114, 1700000021020016, 'attempt_started', 1, 'target:local', 112, 32, '{"job":32,"attempt":1,"started_at":1700000021020011,"process":{"pid":4711,"start":12}}');
insert into events values (115, 1700000021021016, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"nightly-11","number":11,"jobs":2,"digest":"d2"}');
insert into events values (116, 1700000021021016, 'limit_configured', 1, 'scheduler', 115, null, '{"limit":"licence","spec":{"concurrent":2}}');
insert into events values (117, 1700000021021016, 'job_submitted', 1, 'scheduler', 115, 36, '{"job":36,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after_any":[35],"needs":{"cpus":1},"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"flow":"nightly-11"}');
insert into events values (118, 1700000021021016, 'job_submitted', 1, 'scheduler', 115, 37, '{"job":37,"state":"held","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[14,7],"after_any":[14],"needs":{"cpus":1},"limits":["licence:a"],"retry_on":["failed","lost","timeout"],"hold":true},"flow":"nightly-11"}');
insert into events values (119, 1700000021021016, 'job_skipped', 1, 'scheduler', 118, 37, '{"job":37,"because":14,"reason":"after job 14, which was cancelled"}');
insert into events values (120, 1700000021022016, 'job_submitted', 1, 'ada', null, 38, '{"job":38,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":1},"priority":5,"retries":1,"retry_on":["failed","lost","timeout"]}}');
insert into events values (121, 1700000021022016, 'job_submitted', 1, 'ada', null, 39, '{"job":39,"state":"held","spec":{"run":"echo ''ä''; exit 1","name":"job 1 é","after":[38],"after_any":[38],"needs":{"cpus":1},"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"],"key":"key 29","hold":true}}');
insert into events values (122, 1700000021022016, 'job_submitted', 1, 'ada', null, 40, '{"job":40,"state":"waiting","spec":{"run":"echo ''ä''; exit 1","after":[38],"after_any":[38],"needs":{"cpus":1},"limits":["licence"],"retry_on":["failed","lost","timeout"]}}');
insert into events values (123, 1700000023022016, 'attempt_ended', 1, 'target:local', 114, 32, '{"job":32,"attempt":1,"outcome":{"how":"not_started","ended_at":1700000023022016,"error":"no such file","output":[{"segment":"0001.out","start":0,"end":17}]},"retry_at":1700000023836554}');
insert into events values (124, 1700000024023016, 'attempt_launched', 1, 'scheduler', 120, 38, '{"job":38,"attempt":1,"token":"0badcafe.38.1","target":"local"}');
insert into events values (125, 1700000024023016, 'attempt_launched', 1, 'scheduler', 113, 22, '{"job":22,"attempt":2,"token":"0badcafe.22.2","target":"local","grants":{"licence:a":1700000024523016}}');
insert into events values (126, 1700000021023017, 'attempt_started', 1, 'target:local', 125, 22, '{"job":22,"attempt":2,"started_at":1700000021023012,"process":{"pid":4711,"start":12}}');
insert into events values (127, 1700000018023017, 'attempt_started', 1, 'target:local', 124, 38, '{"job":38,"attempt":1,"started_at":1700000018023012,"process":{"pid":4711,"start":12}}');
insert into events values (128, 1700000018023017, 'attempt_ended', 1, 'target:local', 126, 22, '{"job":22,"attempt":2,"outcome":{"how":"not_started","ended_at":1700000018023017,"error":"no such file","cpu_us":1200,"output":[{"segment":"0001.out","start":0,"end":17}]}}');
insert into events values (129, 1700000015023017, 'job_ready', 1, 'ada', 123, 32, '{"job":32}');
insert into events values (130, 1700000015023017, 'target_configured', 1, 'scheduler', null, null, '{"target":"local","capacity":{"cpus":4}}');
insert into events values (131, 1700000015023017, 'attempt_unreachable', 1, 'target:local', 127, 38, '{"job":38,"attempt":1,"reason":"it does not answer"}');
insert into events values (132, 1700000017023017, 'attempt_reached', 1, 'target:local', 131, 38, '{"job":38,"attempt":1}');
insert into events values (133, 1700000017023017, 'flow_submitted', 1, 'grace@host', null, null, '{"flow":"local-12","number":12,"jobs":2,"digest":"d2"}');
insert into events values (134, 1700000017023017, 'job_submitted', 1, 'grace@host', 133, 41, '{"job":41,"state":"ready","spec":{"run":"echo ''ä''; exit 1","name":"job 0 é","needs":{"cpus":2},"priority":5,"retry_on":["failed","lost","timeout"]},"flow":"local-12"}');
insert into events values (135, 1700000017023017, 'job_submitted', 1, 'grace@host', 133, 42, '{"job":42,"state":"waiting","spec":{"run":["true"],"name":"job 1 é","after":[41,30],"after_any":[30],"after_failed":[41],"needs":{"cpus":2},"limits":["licence"],"retry_on":["failed","lost","timeout"]},"flow":"local-12"}');
insert into events values (136, 1700000017023017, 'flow_submitted', 1, 'scheduler', null, null, '{"flow":"licence-13","number":13,"jobs":1,"digest":"d2"}');
insert into events values (137, 1700000017023017, 'limit_configured', 1, 'scheduler', 136, null, '{"limit":"licence","spec":{"concurrent":2,"interval_us":500000}}');
insert into events values (138, 1700000017023017, 'job_submitted', 1, 'scheduler', 136, 43, '{"job":43,"state":"waiting","spec":{"run":["true"],"name":"job 0 é","after":[7,29],"needs":{"cpus":1},"limits":["licence"],"priority":-1000000,"retry_on":["failed","lost","timeout"]},"flow":"licence-13"}');
CREATE INDEX events_job on events (job);
CREATE TABLE meta (
    name  text primary key,
    value any
) strict, without rowid;
insert into meta values ('views_seq', 138);
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
insert into job values (1, 6, 28, 1700000001000000, 'job 0 é', 'local-1', null, 'held', 1, '{"id":1,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1699999997001000},"priority":-3}');
insert into job values (2, 13, 13, 1700000001003001, 'job 0 é', 'licence-2', null, 'waiting', 1, '{"id":2,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000001003001}}');
insert into job values (3, 14, 14, 1700000001003001, 'job 1 é', 'licence-2', 'key 12', 'waiting', 1, '{"id":3,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000001003001},"priority":5}');
insert into job values (4, 16, 49, 1700000003003001, '', 'nightly-3', 'key 26', 'waiting', 1, '{"id":4,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000003003001},"priority":3}');
insert into job values (5, 17, 25, 1700000003003001, 'job 1 é', 'nightly-3', null, 'succeeded', 0, '{"id":5,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1700000000002001,"ended_at":1700000000003001},"attempt":1,"failures":1}');
insert into job values (6, 18, 26, 1700000003003001, '', 'nightly-3', null, 'skipped', 0, '{"id":6,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000000003001,"because":5,"reason":"after_failed job 5, which succeeded","unneeded":true},"priority":5}');
insert into job values (7, 21, 47, 1700000003003001, 'job 0 é', null, null, 'succeeded', 0, '{"id":7,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1699999993007002,"ended_at":1699999993008002},"priority":-3,"attempt":2,"failures":2}');
insert into job values (8, 22, 57, 1700000003003001, 'job 1 é', null, 'key 20', 'succeeded', 0, '{"id":8,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1699999997011004,"ended_at":1699999997012004},"priority":-1000000,"attempt":1,"failures":1}');
insert into job values (9, 23, 59, 1700000003003001, 'job 2 é', null, 'key 34', 'failed', 0, '{"id":9,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1699999997012005,"reason":"timed out","started_at":1699999997011005},"priority":5,"attempt":2,"failures":2}');
insert into job values (10, 24, 60, 1700000003003001, 'job 3 é', null, 'key 42', 'skipped', 0, '{"id":10,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1699999997012005,"because":9,"reason":"after job 9, which failed"},"priority":3}');
insert into job values (11, 43, 43, 1699999993007002, 'job 0 é', 'local-4', null, 'waiting', 1, '{"id":11,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1699999993007002},"priority":5}');
insert into job values (12, 44, 46, 1699999993007002, '', 'local-4', null, 'skipped', 0, '{"id":12,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1699999993007002,"because":6,"reason":"after job 6, which was skipped","unneeded":true,"held":true}}');
insert into job values (13, 45, 56, 1699999993007002, 'job 2 é', 'local-4', 'key 30', 'failed', 0, '{"id":13,"policy":{"needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1699999997012004,"reason":"no such file"},"attempt":1,"failures":1}');
insert into job values (14, 63, 65, 1699999997012006, 'job 0 é', 'nightly-5', null, 'cancelled', 0, '{"id":14,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000001012006,"reason":"cancelled"},"priority":-1000000}');
insert into job values (15, 64, 69, 1699999997012006, 'job 1 é', 'nightly-5', 'key 27', 'cancelled', 0, '{"id":15,"policy":{"retry_on":["failed","lost","timeout"]},"state":{"state":"cancelled","ended_at":1700000009014010,"reason":"cancelled","started_at":1700000009013010},"attempt":1,"failures":1}');
insert into job values (16, 71, 75, 1700000009015010, 'job 0 é', 'licence-6', 'key 24', 'skipped', 0, '{"id":16,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000009015010,"because":6,"reason":"after job 6, which was skipped","unneeded":true},"priority":-1000000}');
insert into job values (17, 72, 76, 1700000009015010, 'job 1 é', 'licence-6', 'key 2', 'skipped', 0, '{"id":17,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000009015010,"because":16,"reason":"after_failed job 16, which was skipped","unneeded":true},"priority":5}');
insert into job values (18, 73, 77, 1700000009015010, 'job 2 é', 'licence-6', 'key 15', 'skipped', 0, '{"id":18,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000009015010,"because":17,"reason":"after job 17, which was skipped","unneeded":true}}');
insert into job values (19, 74, 78, 1700000009015010, '', 'licence-6', null, 'skipped', 0, '{"id":19,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000009015010,"because":17,"reason":"after job 17, which was skipped","unneeded":true},"priority":-1000000}');
insert into job values (20, 80, 83, 1700000010015010, 'job 0 é', 'licence-7', null, 'skipped', 0, '{"id":20,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000010015010,"because":6,"reason":"after job 6, which was skipped","unneeded":true}}');
insert into job values (21, 81, 81, 1700000010015010, '', 'licence-7', 'key 35', 'held', 1, '{"id":21,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1700000010015010}}');
insert into job values (22, 82, 128, 1700000010015010, 'job 2 é', 'licence-7', null, 'failed', 0, '{"id":22,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"failed","ended_at":1700000018023017,"reason":"no such file","started_at":1700000021023012},"attempt":2,"failures":2}');
insert into job values (23, 85, 100, 1700000011016012, 'job 0 é', null, null, 'succeeded', 0, '{"id":23,"policy":{"needs":[["cpus",2]],"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"succeeded","started_at":1700000020016012,"ended_at":1700000020017012},"attempt":1,"failures":1}');
insert into job values (24, 86, 101, 1700000011016012, 'job 1 é', null, null, 'skipped', 0, '{"id":24,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000020017012,"because":23,"reason":"after_failed job 23, which succeeded","unneeded":true}}');
insert into job values (25, 87, 87, 1700000011016012, 'job 2 é', null, null, 'waiting', 1, '{"id":25,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000011016012},"priority":-1000000}');
insert into job values (26, 88, 88, 1700000011016012, 'job 3 é', null, 'key 14', 'waiting', 1, '{"id":26,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000011016012},"priority":5}');
insert into job values (27, 92, 94, 1700000017017012, 'job 0 é', 'nightly-8', null, 'skipped', 0, '{"id":27,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000017017012,"because":6,"reason":"after job 6, which was skipped","unneeded":true},"priority":5}');
insert into job values (28, 93, 95, 1700000017017012, 'job 1 é', 'nightly-8', null, 'skipped', 0, '{"id":28,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000017017012,"because":18,"reason":"after job 18, which was skipped","unneeded":true},"priority":-1000000}');
insert into job values (29, 96, 96, 1700000019017012, 'job 0 é', null, null, 'waiting', 1, '{"id":29,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000019017012}}');
insert into job values (30, 97, 97, 1700000019017012, 'job 1 é', null, null, 'waiting', 1, '{"id":30,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000019017012},"priority":-1000000}');
insert into job values (31, 104, 105, 1700000018019014, 'job 0 é', 'local-9', null, 'skipped', 0, '{"id":31,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000018019014,"because":20,"reason":"after job 20, which was skipped","unneeded":true},"priority":-1000000}');
insert into job values (32, 106, 129, 1700000018020015, '', null, null, 'ready', 1, '{"id":32,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"ready","since":1700000015023017},"attempt":1,"failures":1}');
insert into job values (33, 109, 109, 1700000017020015, 'job 0 é', 'nightly-10', null, 'held', 1, '{"id":33,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1700000017020015}}');
insert into job values (34, 110, 110, 1700000017020015, 'job 1 é', 'nightly-10', 'key 33', 'waiting', 1, '{"id":34,"policy":{"needs":[["cpus",2]],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000017020015},"priority":5}');
insert into job values (35, 111, 111, 1700000017020015, 'job 2 é', 'nightly-10', 'key 23', 'waiting', 1, '{"id":35,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000017020015}}');
insert into job values (36, 117, 117, 1700000021021016, '', 'nightly-11', null, 'waiting', 1, '{"id":36,"policy":{"limits":["licence"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000021021016}}');
insert into job values (37, 118, 119, 1700000021021016, 'job 1 é', 'nightly-11', null, 'skipped', 0, '{"id":37,"policy":{"limits":["licence:a"],"retry_on":["failed","lost","timeout"]},"state":{"state":"skipped","ended_at":1700000021021016,"because":14,"reason":"after job 14, which was cancelled","held":true}}');
insert into job values (38, 120, 132, 1700000021022016, 'job 0 é', null, null, 'running', 2, '{"id":38,"policy":{"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"running","since":1700000018023012},"priority":5,"attempt":1}');
insert into job values (39, 121, 121, 1700000021022016, 'job 1 é', null, 'key 29', 'held', 1, '{"id":39,"policy":{"limits":["licence:a"],"retries":1,"retry_on":["failed","lost","timeout"]},"state":{"state":"held","since":1700000021022016}}');
insert into job values (40, 122, 122, 1700000021022016, '', null, null, 'waiting', 1, '{"id":40,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000021022016}}');
insert into job values (41, 134, 134, 1700000017023017, 'job 0 é', 'local-12', null, 'ready', 1, '{"id":41,"policy":{"needs":[["cpus",2]],"retry_on":["failed","lost","timeout"]},"state":{"state":"ready","since":1700000017023017},"priority":5}');
insert into job values (42, 135, 135, 1700000017023017, 'job 1 é', 'local-12', null, 'waiting', 1, '{"id":42,"policy":{"needs":[["cpus",2]],"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000017023017}}');
insert into job values (43, 138, 138, 1700000017023017, 'job 0 é', 'licence-13', null, 'waiting', 1, '{"id":43,"policy":{"limits":["licence"],"retry_on":["failed","lost","timeout"]},"state":{"state":"waiting","since":1700000017023017},"priority":-1000000}');
CREATE UNIQUE INDEX job_key on job (key) where key is not null;
CREATE INDEX job_flow on job (flow);
CREATE INDEX job_live on job (activity) where activity > 0;
CREATE TABLE attempt (
    job      integer not null,
    number   integer not null,
    launched integer not null,      -- seq of its attempt_launched event
    newest   integer not null,      -- seq of the event that says what became of it; the same until there is one
    primary key (job, number)
) strict, without rowid;
insert into attempt values (5, 1, 19, 25);
insert into attempt values (7, 1, 29, 33);
insert into attempt values (7, 2, 37, 47);
insert into attempt values (8, 1, 53, 57);
insert into attempt values (9, 1, 30, 36);
insert into attempt values (9, 2, 54, 59);
insert into attempt values (13, 1, 52, 56);
insert into attempt values (15, 1, 68, 69);
insert into attempt values (22, 1, 90, 99);
insert into attempt values (22, 2, 125, 128);
insert into attempt values (23, 1, 89, 100);
insert into attempt values (32, 1, 112, 123);
insert into attempt values (38, 1, 124, 127);
CREATE TABLE dependency (
    job    integer not null,
    needed integer not null,
    kind   integer not null,        -- 0 after, 1 after_any, 2 after_failed
    primary key (job, needed, kind)
) strict, without rowid;
insert into dependency values (2, 1, 0);
insert into dependency values (2, 1, 1);
insert into dependency values (3, 2, 0);
insert into dependency values (3, 2, 1);
insert into dependency values (4, 2, 0);
insert into dependency values (18, 2, 0);
insert into dependency values (4, 3, 0);
insert into dependency values (11, 3, 0);
insert into dependency values (14, 3, 0);
insert into dependency values (29, 4, 0);
insert into dependency values (29, 4, 1);
insert into dependency values (30, 4, 0);
insert into dependency values (6, 5, 0);
insert into dependency values (6, 5, 2);
insert into dependency values (11, 5, 1);
insert into dependency values (12, 6, 0);
insert into dependency values (16, 6, 0);
insert into dependency values (20, 6, 0);
insert into dependency values (27, 6, 0);
insert into dependency values (27, 6, 1);
insert into dependency values (8, 7, 0);
insert into dependency values (8, 7, 1);
insert into dependency values (14, 7, 0);
insert into dependency values (19, 7, 0);
insert into dependency values (37, 7, 0);
insert into dependency values (43, 7, 0);
insert into dependency values (10, 9, 0);
insert into dependency values (10, 9, 2);
insert into dependency values (12, 11, 0);
insert into dependency values (31, 11, 0);
insert into dependency values (31, 11, 1);
insert into dependency values (15, 14, 1);
insert into dependency values (37, 14, 0);
insert into dependency values (37, 14, 1);
insert into dependency values (17, 16, 1);
insert into dependency values (17, 16, 2);
insert into dependency values (18, 17, 0);
insert into dependency values (18, 17, 1);
insert into dependency values (19, 17, 0);
insert into dependency values (20, 17, 0);
insert into dependency values (28, 18, 0);
insert into dependency values (28, 18, 2);
insert into dependency values (21, 20, 1);
insert into dependency values (22, 20, 1);
insert into dependency values (31, 20, 0);
insert into dependency values (25, 21, 0);
insert into dependency values (24, 23, 2);
insert into dependency values (25, 23, 0);
insert into dependency values (26, 24, 1);
insert into dependency values (26, 25, 0);
insert into dependency values (30, 29, 0);
insert into dependency values (30, 29, 2);
insert into dependency values (43, 29, 0);
insert into dependency values (42, 30, 0);
insert into dependency values (42, 30, 1);
insert into dependency values (34, 33, 1);
insert into dependency values (35, 33, 2);
insert into dependency values (36, 35, 1);
insert into dependency values (39, 38, 0);
insert into dependency values (39, 38, 1);
insert into dependency values (40, 38, 0);
insert into dependency values (40, 38, 1);
insert into dependency values (42, 41, 0);
insert into dependency values (42, 41, 2);
CREATE INDEX dependency_needed on dependency (needed);
CREATE TABLE flow (
    id     text    primary key,
    number integer not null,
    seq    integer not null,
    digest text,
    data   text    not null
) strict, without rowid;
insert into flow values ('licence-13', 13, 136, 'd2', '{"id":"licence-13","number":13,"jobs":1,"digest":"d2"}');
insert into flow values ('licence-2', 2, 12, null, '{"id":"licence-2","number":2,"jobs":2}');
insert into flow values ('licence-6', 6, 70, 'd2', '{"id":"licence-6","number":6,"jobs":4,"digest":"d2"}');
insert into flow values ('licence-7', 7, 79, 'd1', '{"id":"licence-7","number":7,"jobs":3,"digest":"d1"}');
insert into flow values ('local-1', 1, 4, null, '{"id":"local-1","number":1,"jobs":1}');
insert into flow values ('local-12', 12, 133, 'd2', '{"id":"local-12","number":12,"jobs":2,"digest":"d2"}');
insert into flow values ('local-4', 4, 42, 'd1', '{"id":"local-4","number":4,"jobs":3,"digest":"d1"}');
insert into flow values ('local-9', 9, 103, 'd1', '{"id":"local-9","number":9,"jobs":1,"digest":"d1"}');
insert into flow values ('nightly-10', 10, 107, null, '{"id":"nightly-10","number":10,"jobs":3}');
insert into flow values ('nightly-11', 11, 115, 'd2', '{"id":"nightly-11","number":11,"jobs":2,"digest":"d2"}');
insert into flow values ('nightly-3', 3, 15, 'd2', '{"id":"nightly-3","number":3,"jobs":3,"digest":"d2"}');
insert into flow values ('nightly-5', 5, 61, null, '{"id":"nightly-5","number":5,"jobs":2}');
insert into flow values ('nightly-8', 8, 91, 'd1', '{"id":"nightly-8","number":8,"jobs":2,"digest":"d1"}');
CREATE UNIQUE INDEX flow_number on flow (number);
CREATE INDEX flow_digest on flow (digest) where digest is not null;
CREATE TABLE target (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;
insert into target values ('local', 130, '{"name":"local","capacity":{"cpus":4},"journal":"journal-1","boot":"boot-1","pid":77}');
CREATE TABLE limit_ (
    name text    primary key,
    seq  integer not null,
    data text    not null
) strict, without rowid;
insert into limit_ values ('licence', 137, '{"name":"licence","spec":{"concurrent":2,"interval_us":500000}}');
CREATE TABLE rate_mark (
    key  text primary key,
    data text not null
) strict, without rowid;
insert into rate_mark values ('licence', '{"key":"licence","arrival_at":1700000000511004}');
insert into rate_mark values ('licence:a', '{"key":"licence:a","arrival_at":1700000024523016}');
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
CREATE VIEW attempts as
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
