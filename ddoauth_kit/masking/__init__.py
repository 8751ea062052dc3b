"""Mask secrets in values and in text."""
