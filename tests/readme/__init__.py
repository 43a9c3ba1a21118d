"""README's commands, run as written."""
