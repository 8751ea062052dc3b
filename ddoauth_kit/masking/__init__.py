"""Mask secrets, and look for them where they should not be."""
