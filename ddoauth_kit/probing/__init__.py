"""Test scopes: choose the safest call, make it, and say what its answer proves."""
