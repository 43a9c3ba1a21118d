"""The Python API, on Trio, on asyncio and without a loop, with real supervisors, runners and processes."""
