"""Use a grant: create the API key, send data in, read data out."""
