"""List the secrets that a notebook run may meet: those of the environment and the stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.masking.known_secrets import environment_secrets
from ddoauth_kit.store.contents import secrets_of_this_user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.secret import Secret


def known_secrets(parameters: Mapping[str, Any]) -> Callable[[], tuple[Secret, ...]]:
    """Return what tells all secrets that are known now for a notebook with these parameters.

    A live lesson puts new tokens and keys into the store while it runs, so the store is read again
    each time; a sandbox lesson cannot, and any notebook can read what is there. All that has been
    seen stays known: a token that was replaced is still one.
    """
    live = parameters.get("MODE") == "live"
    seen: dict[Secret, None] = dict.fromkeys(secrets_here())

    def now() -> tuple[Secret, ...]:
        if live:
            seen.update(dict.fromkeys(secrets_of_this_user().secrets))
        return tuple(seen)

    return now


def secrets_here() -> tuple[Secret, ...]:
    """Return the secrets that the environment and the stores of this user hold now."""
    return tuple(dict.fromkeys((*environment_secrets(), *secrets_of_this_user().secrets)))
