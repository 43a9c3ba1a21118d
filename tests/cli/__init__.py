"""Tests of the command line and the flow files."""
