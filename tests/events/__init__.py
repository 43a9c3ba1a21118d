"""Tests of the facts and the pure functions over them: no input or output, no clock, and fast."""
