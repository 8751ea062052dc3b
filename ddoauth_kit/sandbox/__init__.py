"""An offline twin of Datadog's OAuth and API endpoints, for all nine sites."""

from ddoauth_kit.sandbox.clients import Client
from ddoauth_kit.sandbox.errors import SandboxError
from ddoauth_kit.sandbox.faults import FAULTS
from ddoauth_kit.sandbox.journal import Entry
from ddoauth_kit.sandbox.profiles import PROFILES
from ddoauth_kit.sandbox.sandbox import Sandbox

__all__ = ["FAULTS", "PROFILES", "Client", "Entry", "Sandbox", "SandboxError"]
