"""Create the API key, but only once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.workbook.panels.panel import Panel, button, row
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ipywidgets as widgets

    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.lab.lab import Lab

NOT_YET: Final = Skipped(
    "No API key is stored yet; in a cell, create one with `lab.api_key(tokens)`.", state="not yet"
)
NOT_KEPT: Final = (
    "The key could not be stored: save this panel's `panel.api_key.key.reveal()` in your secret "
    "manager before the kernel ends."
)


class ApiKeyPanel(Panel):
    """Creates the key unless one is stored, and shows its last four characters and its store.

    `api_key` is the key, or the reason it is missing: a skipped step or an error.
    """

    def __init__(self, lab: Lab, tokens: TokenSet) -> None:
        super().__init__()
        self._lab = lab
        self._tokens = tokens
        self.api_key: ApiKey | Skipped | DdoauthError = self._kept() or NOT_YET
        self._create = button("Create the API key", self.create, tooltip="Datadog shows it once")
        self._offer(more=not isinstance(self.api_key, ApiKey))
        self._tell()

    @property
    def value(self) -> object:
        """Return the key, or the reason it is missing."""
        return self.api_key

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the button."""
        return (row(self._create),)

    def create(self) -> None:
        """Return the stored key or create it, as `lab.api_key` does."""
        self.start(self._get)

    def _get(self) -> None:
        self.say("Requesting the key.")
        try:
            self.api_key = self._lab.api_key(self._tokens)
        except DdoauthError as error:
            self.api_key = error
        # A refusal may end, for example after another key is deleted; a skipped step stays skipped.
        self._offer(more=isinstance(self.api_key, DdoauthError))
        self._tell()

    def _offer(self, *, more: bool) -> None:
        """Hide the button if there is nothing left to do."""
        self._create.disabled = not more
        self._create.layout.display = "" if more else "none"

    def _kept(self) -> ApiKey | DdoauthError | None:
        try:
            return self._lab.kept_api_key()
        except DdoauthError as error:
            return error

    def _tell(self) -> None:
        self.show(self.api_key)
        if isinstance(self.api_key, ApiKey):
            kept = self._kept()
            safe = isinstance(kept, ApiKey) and kept.key == self.api_key.key
            said = f"Stored in {self._lab.store.where}." if safe else NOT_KEPT
            self.add(said)
