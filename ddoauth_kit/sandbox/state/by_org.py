"""A choice that holds for all organizations, and those of single ones."""

from __future__ import annotations

from typing import Generic, TypeVar

Choice = TypeVar("Choice")


class ByOrg(Generic[Choice]):
    """Hold one choice for everybody, and others for organizations that have their own."""

    def __init__(self, first: Choice) -> None:
        self._first = first
        self._general = first
        self._own: dict[str, Choice] = {}

    def of(self, org: str | None) -> Choice:
        """Return the choice of an organization, by its id, or the general one."""
        return self._own.get(org, self._general) if org is not None else self._general

    def put(self, choice: Choice, *, org: str | None) -> None:
        """Set the choice of an organization, or without one the general choice."""
        if org is None:
            self._general = choice
        else:
            self._own[org] = choice

    def forget(self, org: str) -> None:
        """Forget an organization that has ended."""
        self._own.pop(org, None)

    def reset(self) -> None:
        """Go back to the first choice, for everybody."""
        self._general = self._first
        self._own.clear()
