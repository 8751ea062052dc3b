"""The pages for customers and partners."""
