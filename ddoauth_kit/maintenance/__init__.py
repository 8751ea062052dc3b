"""Programs for contributors that derive data files and generate pages; not part of the wheel."""
