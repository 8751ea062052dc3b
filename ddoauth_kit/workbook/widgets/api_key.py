"""Create the API key, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.widgets.base import Panel, button, row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ipywidgets as widgets

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

NO_KEY: Final = "No API key is kept yet; `lab.api_key(tokens)` creates it in a cell."


class ApiKeyPanel(Panel):
    """Create the key unless one is kept, and show its last four characters and where it lies."""

    def __init__(self, lab: Lab, tokens: TokenSet) -> None:
        super().__init__()
        self._lab = lab
        self._tokens = tokens
        self.api_key: ApiKey | Skipped = lab.kept_api_key() or Skipped(NO_KEY)
        self._create = button("Create the API key", self.create, tooltip="Datadog shows it once")
        self._tell()

    @property
    def value(self) -> object:
        """Return the key, or why there is none."""
        return self.api_key

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the button."""
        return (row(self._create),)

    def create(self) -> None:
        """Do what `lab.api_key` does: return the key that is kept, or create it."""
        self.start(self._get)

    def _get(self) -> None:
        self.api_key = self._lab.api_key(self._tokens)
        self._tell()

    def _tell(self) -> None:
        self.show(self.api_key)
        if self.api_key:
            self._create.disabled = True
            self.status.value += f"<p>kept in {self._lab.store.where}</p>"
