"""Find, copy and run the lessons, and the tables that they show."""
