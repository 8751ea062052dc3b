"""Requests and answers, free of any web framework."""
