"""Facts and the pure functions over them: no input or output, no clock, no randomness.

Start reading at `facts` (what can happen), `states` and `records` (what is so), then:

    lifecycle   the table of a job's legal moves        evolve   events -> records, the only way state changes
    draft       one tick's working copy                 decide   messages -> events + answers, the only place for rules
    graph       dependencies                            ready    which job is next
    limits      named limits (concurrency, GCRA)        capacity counted needs
    backoff     full jitter                             breaker  circuit breaker
    spec        what a user asks for                    messages what clients and targets say to the scheduler
    codec       events <-> JSON, upcasters              errors   every error that a user can meet
"""
