"""Run the lessons for every site and client, side by side, and write the results."""
