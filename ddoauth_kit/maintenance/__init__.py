"""Programs for contributors that derive data files and generate pages; not in the wheel."""
