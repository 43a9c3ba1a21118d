"""What `run` does while it runs: being the supervisor, or watching one."""
