"""The information about the request that the sandbox is currently handling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.state.grants import Code, Grant


@dataclass
class Handling:
    """A request's organization and attempt, its faults, and its tolerated mistakes.

    `org` is an organization's id, and `attempt` is the fingerprint of the state that an
    authorization started with. They determine which faults, switches and lifetimes apply.
    """

    org: str | None = None
    attempt: str = ""
    code: Code | None = None
    grant: Grant | None = None
    struck: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Forget the previous request."""
        self.org, self.attempt, self.code, self.grant = None, "", None, None
        self.struck, self.tolerated = [], []

    @property
    def grant_id(self) -> str | None:
        """Return the id of the grant that the request used or created."""
        found = self.grant or (self.code.grant if self.code is not None else None)
        return None if found is None else found.id
