"""Serve Datadog's API in the sandbox."""
