"""Find, copy and run the lessons, and create the tables that they show."""
