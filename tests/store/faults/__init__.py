"""Disks that fail, machines that lose their power, and bytes that change: what becomes of the log."""
