"""Send requests and read answers; only the module `sender` sends."""
