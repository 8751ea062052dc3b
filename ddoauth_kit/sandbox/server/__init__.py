"""One loopback socket, and the way from a request to its answer."""
