"""Read secrets from the environment first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddoauth_kit.store.slots import from_environment, variables, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store.slots import Slot, Store


class EnvironmentFirst:
    """Read values from the environment if they are set, and use another store for the rest.

    The variables are `DDOAUTH_REFRESH_TOKEN_US1`, `DDOAUTH_API_KEY_EU1__ACME` and so on (see
    `variables`). A variable whose value was replaced or deleted through this store is not read
    again.
    """

    def __init__(self, store: Store, environ: Mapping[str, str] = os.environ) -> None:
        self._store = store
        self._environ = environ
        self._outdated: set[str] = set()

    @property
    def where(self) -> str:
        """Say where new secrets are stored."""
        return self._store.where

    @property
    def beneath(self) -> Store:
        """Return the underlying store, without values from environment variables."""
        return self._store

    def get(self, slot: Slot) -> Secret | None:
        """Return the variable's value, or else the stored value, or else None."""
        _, value = self._variable(slot)
        return wrapped(slot, value) if value else self._store.get(slot)

    def put(self, slot: Slot, secret: Secret) -> None:
        """Put a secret into the store; the environment is never changed."""
        self._store.put(slot, secret)
        self._outdated.update(variables(slot))

    def forget(self, slot: Slot) -> None:
        """Ignore the variable from now on if it had a value; otherwise delete the stored value.

        Forgetting an outdated variable therefore leaves a newer stored secret alone.
        """
        variable, _ = self._variable(slot)
        if variable:
            self._outdated.add(variable)
        else:
            self._store.forget(slot)

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in use in the store, without those in the environment."""
        return self._store.slots()

    def alone(self, slot: Slot) -> AbstractContextManager[object]:
        """Block everyone else who needs the same slot in the store."""
        return self._store.alone(slot)

    def _variable(self, slot: Slot) -> tuple[str, str]:
        known = {k: v for k, v in self._environ.items() if k not in self._outdated}
        return from_environment(slot, known)
