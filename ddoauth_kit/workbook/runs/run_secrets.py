"""List the secrets that a run may contain: those in the environment and in the stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.leaks.known_secrets import environment_secrets
from ddoauth_kit.leaks.stored_secrets import secrets_of_this_user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.secret import Secret


def known_secrets(parameters: Mapping[str, Any]) -> Callable[[], tuple[Secret, ...]]:
    """Return a function that lists all secrets known for a notebook with these parameters.

    A live lesson adds new tokens and keys to the store while it runs, so the store is read again
    each time. A sandbox lesson can't add any, but any notebook can read the stored secrets. Secrets
    that have been seen stay known, because a replaced token is still secret.
    """
    live = parameters.get("MODE") == "live"
    seen: dict[Secret, None] = dict.fromkeys(secrets_here())

    def now() -> tuple[Secret, ...]:
        if live:
            seen.update(dict.fromkeys(secrets_of_this_user().secrets))
        return tuple(seen)

    return now


def secrets_here() -> tuple[Secret, ...]:
    """Return the current secrets in the environment and this user's stores."""
    return tuple(dict.fromkeys((*environment_secrets(), *secrets_of_this_user().secrets)))
