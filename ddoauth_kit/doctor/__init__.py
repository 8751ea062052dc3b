"""Find what is missing, unreachable or misconfigured, and say what to do about it."""

from ddoauth_kit.doctor.examine import examine
from ddoauth_kit.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine"]
