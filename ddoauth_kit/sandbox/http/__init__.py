"""Requests and answers, independent of any web framework."""
