"""Show values in a notebook: cards, tables, requests as code."""
