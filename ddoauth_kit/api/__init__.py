"""Use a grant: create the API key, send data, and read data."""
