"""The OAuth endpoints of the sandbox."""
