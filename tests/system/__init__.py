"""The whole thing from outside: real commands in real processes, ended at any instant, and what they leave behind."""
