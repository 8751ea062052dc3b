"""Run somebody else's server against the sandbox, and judge what it does from outside."""
