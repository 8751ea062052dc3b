"""Let a person enter a registration: public fields, and the secret in a password field."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import in_a_tab, on_binder
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.registration import ClientRegistration, Kind
from ddoauth_kit.registration.redirect_uris import why_no_redirect_uri
from ddoauth_kit.scopes import parse_scopes
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.own_app.registration_check import check_registration
from ddoauth_kit.workbook.own_app.saved_registration import keep_registration
from ddoauth_kit.workbook.panels.panel import Panel
from ddoauth_kit.workbook.panels.typed_form import Field, FormReply, TypedForm
from ddoauth_kit.workbook.show.cards import Skipped, as_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import ipywidgets as widgets

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Store
    from ddoauth_kit.workbook.own_app.saved_registration import SavedRegistration
    from ddoauth_kit.workbook.panels.typed_form import Typed
    from ddoauth_kit.workbook.show.result_table import ResultTable

NOT_YET: Final = "Nothing has been registered with this form yet."
NOT_KEPT: Final = "Nothing was stored, and your input is still here."
NOTHING_WRONG: Final = "You don't need to correct anything."
KEPT: Final = "The registration is stored."
_EMPTY: Final = "is empty."
ONLY_SANDBOX: Final = "On Binder and in a browser tab, the form doesn't accept a registration."
FIELDS: Final = (
    Field(
        "kind",
        "Kind",
        kind="choice",
        options=((str(Kind.PRIVATE), "private, for tests"), (str(Kind.PUBLISHED), "published")),
    ),
    Field("name", "Client name", hint="what customers see on the consent page"),
    Field("client_id", "Client id"),
    Field("client_secret", "Client secret", kind="secret"),
    Field("redirect_uris", "Redirect URIs", kind="area", hint="separated by commas or line breaks"),
    Field("onboarding_url", "Onboarding URL"),
    Field("scopes", "Scopes", kind="area", hint="separated by commas or spaces"),
)


class RegistrationForm(Panel):
    """Checks and stores the Developer Platform's values, as `keep_registration` does in a cell.

    Neither the input nor the messages about it become part of the notebook. The secret is removed
    from its field at once and kept here, only for this client, until it is stored. `store` can be a
    sandbox's store, for practice; by default, it is the real one, which live mode reads.
    """

    def __init__(self, site: str = "us1", *, store: Store | None = None) -> None:
        super().__init__()
        self._site = DATADOG_SITES.named(site).name
        self._store = store
        self.kept: SavedRegistration | None = None
        self._held: tuple[tuple[str, str], Secret] | None = None
        closed = (on_binder() or in_a_tab()) and store is None
        self.form = TypedForm(
            *FIELDS, actions={"Check": self.check, "Keep": self.keep}, disabled=closed
        )
        self.say(ONLY_SANDBOX if closed else NOT_YET)

    @property
    def value(self) -> object:
        """Return the stored values, or a statement that nothing was stored."""
        return self.kept or Skipped(NOT_YET, state="not yet")

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the form."""
        return (self.form,)

    def check(self, typed: Typed) -> FormReply:
        """Show the findings of `check_registration` next to the fields, but store nothing."""
        _, found = self._read(typed)
        errors = _by_field(found)
        return FormReply(_counted(errors), held=self._names_held, errors=errors)

    def keep(self, typed: Typed) -> FormReply:
        """Do what `keep_registration` does; after a problem, keep the input."""
        registration, found = self._read(typed)
        if "yes" in (row["stops"] for row in found.rows):
            errors = _by_field(found)
            html = f"{escape(NOT_KEPT)} {_counted(errors)}"
            return FormReply(html, held=self._names_held, errors=errors)
        try:
            self.kept = keep_registration(registration, site=self._site, store=self._store)
        except DdoauthError as error:
            return FormReply(as_html(error), held=self._names_held)
        self._held = None
        self.say(KEPT)
        return FormReply(as_html(self.kept), clear=True)

    @property
    def _names_held(self) -> tuple[str, ...]:
        return ("client_secret",) if self._held else ()

    def _read(self, typed: Typed) -> tuple[ClientRegistration, ResultTable]:
        """Return the input as a registration, and the problems with it."""
        texts = typed.texts
        uris = _split(texts["redirect_uris"])
        good = tuple(uri for uri in uris if not why_no_redirect_uri(uri))
        registration = ClientRegistration(
            client_id=texts["client_id"],
            client_secret=self._secret(typed),
            name=texts["name"],
            kind=Kind(texts["kind"]),
            sites=(self._site,),
            scopes=parse_scopes(" ".join(_split(texts["scopes"]))),
            redirect_uris=good,
            onboarding_url=texts["onboarding_url"],
        )
        refused = [uri for uri in uris if uri not in good]
        return registration, check_registration(registration, refused_uris=refused)

    def _secret(self, typed: Typed) -> Secret | None:
        """Return the secret that was typed now, or earlier for exactly this client."""
        client = (typed.texts["client_id"], typed.texts["kind"])
        if secret := typed.secrets.get("client_secret"):
            self._held = (client, secret)
        elif self._held and self._held[0] != client:
            self._held = None
        return self._held[1] if self._held else None


def _split(text: str) -> list[str]:
    return text.replace(",", " ").replace(";", " ").split()


def _by_field(found: ResultTable) -> dict[str, str]:
    """Return the sentences about each form field; in the table, fields are named in words."""
    errors: dict[str, list[str]] = {}
    for each in found.rows:
        name = str(each["field"]).lower().replace(" ", "_")
        place = next(f.name for f in FIELDS if f.name.removesuffix("s") == name.removesuffix("s"))
        note = "" if each["stops"] == "yes" else " (You can keep it like this.)"
        what = f"This field {each['problem']}" if each["problem"] == _EMPTY else each["problem"]
        errors.setdefault(place, []).append(f"{what}{note}")
    return {place: "\n".join(sentences) for place, sentences in errors.items()}


def _counted(errors: Mapping[str, str]) -> str:
    if not errors:
        return NOTHING_WRONG
    fields = "field has a note" if len(errors) == 1 else "fields have notes"
    return f"{len(errors)} {fields}; see below each field."
