"""Check an integration's folder before a reviewer does, and write what is missing."""
