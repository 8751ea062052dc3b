"""Listen on loopback for the redirect that ends an authorization."""
