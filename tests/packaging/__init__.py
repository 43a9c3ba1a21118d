"""What people install: the wheel that is built from the project's files, in fresh environments."""
