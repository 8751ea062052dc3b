"""Derive the catalogue from Datadog's OpenAPI spec; for maintainers, nothing imports it."""
