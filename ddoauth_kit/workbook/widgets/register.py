"""Take a registration from a person: public fields, and the secret from a password field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.place import on_binder, refuse_on_binder
from ddoauth_kit.registration import ClientRegistration, Kind
from ddoauth_kit.scopes import parse_scopes
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.cards import Skipped
from ddoauth_kit.workbook.registering import check_registration, keep_registration
from ddoauth_kit.workbook.widgets.base import Panel, button, row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.store import Store
    from ddoauth_kit.workbook.registering import KeptRegistration

NOT_YET: Final = "Nothing is registered by this form yet."
ONLY_SANDBOX: Final = "On Binder the form checks, and takes no secret."


class RegistrationForm(Panel):
    """Check and keep what the Developer Platform shows, as `keep_registration` does in a cell.

    The secret leaves its field as soon as the field is left, and is held outside of the widgets;
    the other fields are emptied once the registration is kept. `store` is a sandbox's, to practise
    with; by default it is the real one, which live mode reads.
    """

    def __init__(self, site: str = "us1", *, store: Store | None = None) -> None:
        super().__init__()
        self._site = DATADOG_SITES.named(site).name
        self._store = store
        self.kept: KeptRegistration | None = None
        self._secret: Secret | None = None
        self._fields = _fields()
        self._password = self._fields["client_secret"]
        self._password.observe(self._take_secret, names="value")
        self._password.disabled = on_binder()
        self.say(ONLY_SANDBOX if on_binder() else NOT_YET)

    @property
    def value(self) -> object:
        """Return what was kept, or that nothing was."""
        return self.kept or Skipped(NOT_YET)

    def parts(self) -> Iterable[widgets.Widget]:
        """Return fields and buttons."""
        buttons = row(
            button("Check", self.check, tooltip="Look for problems; nothing is kept"),
            button("Keep", self.keep, tooltip="Put the secret into the store"),
        )
        return (*self._fields.values(), buttons)

    def check(self) -> None:
        """Show what `check_registration` finds."""
        try:
            self.status.value = check_registration(self._registration())._repr_html_()
        except DdoauthError as error:
            self.show(error)

    def keep(self) -> None:
        """Do what `keep_registration` does, then empty the form."""
        try:
            refuse_on_binder()
            self.kept = keep_registration(self._registration(), site=self._site, store=self._store)
        except DdoauthError as error:
            self.show(error)
            return
        self._secret = None
        for name, field in self._fields.items():
            if name != "kind":
                field.value = ""
        self.show(self.kept)

    def _take_secret(self, change: dict[str, Any]) -> None:
        """Empty the field in the very callback that reads it."""
        if typed := change["new"].strip():
            self._secret = Secret(typed, label="client_secret")
            self._password.value = ""
            self._password.placeholder = "taken; type again to replace it"

    def _registration(self) -> ClientRegistration:
        texts = {name: field.value.strip() for name, field in self._fields.items()}
        return ClientRegistration(
            client_id=texts["client_id"],
            client_secret=self._secret,
            name=texts["name"],
            kind=Kind(texts["kind"]),
            sites=(self._site,),
            scopes=parse_scopes(texts["scopes"]),
            redirect_uris=tuple(texts["redirect_uris"].split()),
            onboarding_url=texts["onboarding_url"],
        )


def _fields() -> dict[str, Any]:
    wide: dict[str, Any] = {
        "style": {"description_width": "9em"},
        "layout": {"width": "95%", "max_width": "48em"},
    }
    kinds = [("private, for tests", str(Kind.PRIVATE)), ("published", str(Kind.PUBLISHED))]
    return {
        "kind": widgets.Dropdown(description="Kind", options=kinds, **wide),
        "name": widgets.Text(description="Client name", **wide),
        "client_id": widgets.Text(description="Client id", **wide),
        "client_secret": widgets.Password(
            description="Client secret", continuous_update=False, **wide
        ),
        "redirect_uris": widgets.Textarea(description="Redirect URIs", rows=3, **wide),
        "onboarding_url": widgets.Text(description="Onboarding URL", **wide),
        "scopes": widgets.Textarea(description="Scopes", rows=3, **wide),
    }
