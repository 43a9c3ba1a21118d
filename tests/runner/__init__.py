"""The runner: with real processes, and its rules alone without any."""
