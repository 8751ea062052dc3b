"""The commands of `ddoauth`, one per module: the options of each, and what it does."""
