"""What the sandbox knows about Datadog: sites, scopes, operations, profiles."""
