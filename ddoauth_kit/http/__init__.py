"""Send requests and read responses; only the module `sender` sends anything."""
