"""Run a partner's server against the sandbox, and judge its behaviour from the outside."""
