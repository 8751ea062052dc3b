"""The commands of `ddoauth`, one a module: what it takes, and what it does."""
