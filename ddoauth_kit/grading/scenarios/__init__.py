"""The scenarios of a grading, one family a file."""
