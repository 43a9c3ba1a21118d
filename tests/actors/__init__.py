"""Tests of the actors, on virtual time."""
