"""The commands of `ddoauth`, one per module: each command's options, and what it does."""
