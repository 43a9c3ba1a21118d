"""The store: the log, its views, and everything that can happen to their file."""
