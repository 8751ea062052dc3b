"""The scenarios of a grading, one family per file."""
