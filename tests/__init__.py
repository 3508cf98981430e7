"""The tests: the same tree as the code, plus end_to_end/ and system/."""
