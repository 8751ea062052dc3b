"""Support the lesson on your own app."""
