"""Support the lesson on publishing."""
