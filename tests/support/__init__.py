"""What several tests need: servers, browsers, values to begin with."""
