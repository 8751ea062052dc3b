"""What can be created, read, changed and deleted, one service a file."""
