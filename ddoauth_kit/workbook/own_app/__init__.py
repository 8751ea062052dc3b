"""Support for the lesson on your own app."""
