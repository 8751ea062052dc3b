"""The one error that setting up a sandbox can raise."""


class SandboxError(Exception):
    """Say in one line what keeps the sandbox from starting, and what to do about it."""
