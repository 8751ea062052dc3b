"""Get consent without a notebook."""
