"""Mask secrets in values and texts."""
