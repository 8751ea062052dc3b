"""Keep the refresh token of a client on a site, and never one grant's in place of another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.api_keys import cause_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.store import Slot

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.store import Store

NOT_KEPT: Final = (
    "The refresh token could not be kept ({error}). It is in the value that this call returns, and "
    "nowhere else: without it the customer has to authorize again."
)


class StoredGrants:
    """Keep and let go of refresh tokens, also beside panels and kernels that do the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, tokens: TokenSet, *, before: TokenSet | None = None) -> TokenSet:
        """Keep a refresh token before the caller sees it, and return the tokens.

        After a refresh of `before` it takes the place of that one's, and of no other grant's.
        """
        slot = _slot(tokens)
        if tokens.refresh_token:
            try:
                with self._store.alone(slot):
                    if before is None or self._store.get(slot) in {None, before.refresh_token}:
                        self._store.put(slot, tokens.refresh_token)
            except Exception as error:  # noqa: BLE001 - the code is spent, the old token perhaps
                print(NOT_KEPT.format(error=cause_of(error)))  # noqa: T201 - the one chance
        return tokens

    def holds(self, tokens: TokenSet) -> bool:
        """Return whether the refresh token can be found again."""
        try:
            return self._store.get(_slot(tokens)) == tokens.refresh_token
        except InputError:
            return False

    def forget(self, tokens: TokenSet) -> None:
        """Forget a grant's refresh token, wherever the store has it, and no other grant's.

        Raises:
            InputError: `not_stored`, and others of the store.
        """
        slot = _slot(tokens)
        with self._store.alone(slot):
            while tokens.refresh_token and self._store.get(slot) == tokens.refresh_token:
                self._store.forget(slot)


def _slot(tokens: TokenSet) -> Slot:
    return Slot("refresh_token", tokens.site.name, tokens.client_id)
