"""The harness itself: shapes, verdicts, comparisons and usage. What is measured is no matter of these tests."""
