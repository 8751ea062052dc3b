"""Derive the catalogue from Datadog's OpenAPI spec; no other module imports this package."""
