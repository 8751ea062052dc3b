"""Write a grading report for people and programs, without any secrets."""
