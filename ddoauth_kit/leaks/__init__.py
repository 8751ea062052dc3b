"""Find secrets and people in notebooks, reports and folders, and mask them before they are written."""
