"""The whole supervisor tree on virtual time, by seed: random flows, commands and faults, and what must hold meanwhile.

Read `simulation` first (one run), then what it is made of:

- `determinism`, `clocks`, `wire`: time, order and connections, all of them by seed;
- `machine`, `host`, `runner_process`: the machine that jobs run on, and the real runner's rules over it;
- `ways`, `host_faults`, `person`: other machines, what goes wrong on the way to them, and who trusts their keys;
- `slurm_cluster`: a cluster of Slurm's, of `slurm_controller`, `slurm_jobs`, `slurm_accounting`, `slurm_nodes` and
  `slurm_files`; `slurm_commands`, `slurm_texts`, `slurm_scripts`: what is said to it; `slurm_faults`: its faults;
- `disk`, `keeper`: the log that survives, and supervisors that are killed and started anew;
- `flows`, `commands`, `clients`, `faults`: what happens to them;
- `verdict`, `commit_checks`, `spawn_checks`, `host_checks`, `slurm_checks`, `hindrance`, `history`, `answers`,
  `ending`: the promises;
- `campaign`, `__main__`: many seeds, and shrinking; `defects`, `host_defects`, `slurm_defects`: planted, to see that
  they are found;
- `fleet`: 200 machines of which some hang: how long everybody else waits;
- `long_day`: no faults, but a million events: what grows that may not.
"""
