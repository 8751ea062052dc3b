"""Check an integration's folder before a reviewer does, and write missing parts."""
