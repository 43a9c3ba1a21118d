"""The tests: a folder a part, each test a sentence about behaviour, promises by their numbers (`test_p2_...`)."""
