"""Find secrets and people in notebooks, reports and folders; mask them in what a run writes."""
