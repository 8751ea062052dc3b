"""Back the lesson on an app of your own."""
