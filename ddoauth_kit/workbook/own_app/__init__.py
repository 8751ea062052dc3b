"""Back the lesson on your own app."""
