"""Keeps the code as the house wants it: each rule is a function from a source to its findings, tested both ways."""
