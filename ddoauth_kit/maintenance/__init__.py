"""What only contributors run: derived data files and generated pages. Not part of the wheel."""
