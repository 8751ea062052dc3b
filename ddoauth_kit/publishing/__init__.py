"""Check an integration's folder before a reviewer does, and write the missing parts."""
