"""One actor per target, turning launches into effects: `local` so far.

`messages` is what the scheduler says to any target; `link` speaks to a runner; `secrets` finds what a job is given.
"""
