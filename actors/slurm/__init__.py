"""Clusters that Slurm manages: what is said to its commands, what they answer, and what that means for attempts."""
