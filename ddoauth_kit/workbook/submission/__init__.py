"""Back the lesson on publishing."""
