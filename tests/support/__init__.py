"""Code that several tests share: servers, browsers and initial values."""
