"""Support for the lesson on publishing."""
