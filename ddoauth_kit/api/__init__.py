"""Use a grant: create an API key, send data, and read data."""
