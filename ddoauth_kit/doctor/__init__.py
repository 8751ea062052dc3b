"""Find out what is missing, unreachable or misconfigured, and suggest a fix."""

from ddoauth_kit.doctor.examine import examine
from ddoauth_kit.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine"]
