"""What is read of a home for people and programs: jobs, events, and the output of attempts."""
