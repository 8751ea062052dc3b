"""Derive the catalogue from Datadog's OpenAPI spec; nothing else imports this."""
