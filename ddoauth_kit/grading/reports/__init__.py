"""Write a grading for people and for programs, without any secret."""
