"""Test scopes: choose the safest call, make it, and say what the response proves."""
