"""The whole supervisor tree on virtual time, by seed: random flows, commands and faults, and what must hold meanwhile.

Read `simulation` first (one run), then what it is made of:

- `determinism`, `clocks`, `wire`: time, order and connections, all of them by seed;
- `machine`, `host`, `runner_process`: the machine that jobs run on, and the real runner's rules over it;
- `disk`, `keeper`: the log that survives, and supervisors that are killed and started anew;
- `flows`, `commands`, `clients`, `faults`: what happens to them;
- `verdict`, `commit_checks`, `spawn_checks`, `history`, `answers`, `ending`: the promises;
- `campaign`, `defects`, `__main__`: many seeds, shrinking, and defects planted to see that they are found;
- `long_day`: no faults, but a million events: what grows that may not.
"""
