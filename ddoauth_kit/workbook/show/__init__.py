"""Show values in a notebook: as cards, as tables, and requests as code."""
