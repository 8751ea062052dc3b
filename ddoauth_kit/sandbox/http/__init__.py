"""Requests and responses, independent of any web framework."""
