"""Send requests and read answers; `sender` is the one module that sends."""
