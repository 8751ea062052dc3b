"""The scenarios of a grading run, one family per file."""
