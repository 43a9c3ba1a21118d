"""Slurm, a real one: the lab that runs it on loopback, and what is tested with it."""
