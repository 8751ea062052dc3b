"""One loopback socket, and the path from a request to its response."""
