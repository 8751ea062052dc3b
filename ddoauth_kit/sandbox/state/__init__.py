"""Everything that one sandbox remembers."""
