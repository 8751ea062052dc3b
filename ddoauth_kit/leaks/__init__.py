"""Find secrets and people in notebooks, reports and folders; mask them in the files of a run."""
