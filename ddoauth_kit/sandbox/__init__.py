"""An offline twin of Datadog's OAuth and API endpoints, for all nine sites."""

from ddoauth_kit.sandbox.facts.profiles import PROFILES
from ddoauth_kit.sandbox.sandbox import Sandbox
from ddoauth_kit.sandbox.sandbox_error import SandboxError
from ddoauth_kit.sandbox.server.journal import JournalEntry
from ddoauth_kit.sandbox.state.clients import Client
from ddoauth_kit.sandbox.state.faults import FAULTS

__all__ = ["FAULTS", "PROFILES", "Client", "JournalEntry", "Sandbox", "SandboxError"]
