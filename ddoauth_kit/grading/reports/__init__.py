"""Write a grading for people and programs, without any secret."""
