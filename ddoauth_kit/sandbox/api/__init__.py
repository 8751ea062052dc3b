"""Datadog's API, as the sandbox serves it."""
