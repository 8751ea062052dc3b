"""Hold what several tests share: servers, browsers and initial values."""
