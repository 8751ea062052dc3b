"""What the sandbox knows of Datadog: sites, scopes, operations, profiles."""
