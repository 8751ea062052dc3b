"""A value for all organizations, and separate values for some of them."""

from __future__ import annotations

from typing import Generic, TypeVar

Choice = TypeVar("Choice")


class ByOrg(Generic[Choice]):
    """One value for all organizations, and separate values for some of them."""

    def __init__(self, first: Choice) -> None:
        self._first = first
        self._general = first
        self._own: dict[str, Choice] = {}

    def of(self, org: str | None) -> Choice:
        """Return the value for an organization's id, or else the general value."""
        return self._own.get(org, self._general) if org is not None else self._general

    def put(self, choice: Choice, *, org: str | None) -> None:
        """Set an organization's value or, without an organization, the general value."""
        if org is None:
            self._general = choice
        else:
            self._own[org] = choice

    def forget(self, org: str) -> None:
        """Forget an organization that has ended."""
        self._own.pop(org, None)

    def reset(self) -> None:
        """Restore the initial value for all organizations."""
        self._general = self._first
        self._own.clear()
