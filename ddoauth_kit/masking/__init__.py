"""Mask what must not be shown, and look for it where it should not be."""
