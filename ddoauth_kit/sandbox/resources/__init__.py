"""Resources that can be created, read, changed and deleted, one service per file."""
