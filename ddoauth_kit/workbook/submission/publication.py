"""Publish a private client, store the new credentials, and continue with both registrations.

The page is the sandbox's Developer Platform; at Datadog, only a person can open it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.registration import ClientRegistration, Kind
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import Slot
from ddoauth_kit.store.slots import refuse_unwritable
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.lab.customer import Clicked
from ddoauth_kit.workbook.lab.lab import Lab
from ddoauth_kit.workbook.lab.open_lab import OwnSandbox
from ddoauth_kit.workbook.lab.scripted_browser import Browser
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent
from ddoauth_kit.workbook.show.cards import Rows, as_html, as_text, rows
from ddoauth_kit.workbook.show.result_table import ResultTable

if TYPE_CHECKING:
    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

WHERE: Final = "Developer Platform"
_PATH: Final = "/developer"
_TEST: Final = "developer/test-authorization"
_PUBLISH: Final = "developer/publish"
_SHOWN_ONCE: Final = "New credentials, shown once"


@dataclass(frozen=True, slots=True, repr=False)
class TakenOver:
    """The published registration, and where its secret is stored."""

    registration: ClientRegistration
    slot: Slot
    kept_in: str

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


class DeveloperPage:
    """Clicks on the sandbox's Developer Platform, for a lab's private client.

    Raises:
        InputError: `not_the_private_client`, for any other lab.
    """

    def __init__(self, lab: Lab) -> None:
        if lab.backend.mode is not Mode.SANDBOX or lab.registration.kind is not Kind.PRIVATE:
            what = "Only a sandbox's private client can be published here."
            raise InputError("not_the_private_client", what)
        self._lab = lab
        self._browser = Browser()
        self._url = lab.site.app_url + _PATH

    def test_authorization(self) -> Clicked:
        """Click *Test Authorization*, which opens the onboarding URL as a tile would."""
        return self._click(_TEST, "Test Authorization")

    def publish(self) -> Clicked:
        """Click *Publish*; the page then shows the new credentials only once."""
        return self._click(_PUBLISH, "Publish")

    def take_over(self) -> TakenOver:
        """Store the published client's secret before doing anything else with it.

        The store is tested before the page is opened, because the page shows the secret only once.

        Raises:
            InputError: `not_stored`, before anything was shown, or `credentials_not_shown`.
        """
        lab = self._lab
        site = lab.site.name
        # The id is not known yet; the store is the same whatever the slot is called.
        refuse_unwritable(lab.store, Slot("client_secret", site, "new", str(Kind.PUBLISHED)))
        client_id, secret = _shown(self._browser.open(self._url))
        slot = Slot("client_secret", site, client_id, str(Kind.PUBLISHED))
        lab.store.put(slot, secret)
        registration = replace(
            lab.registration,
            client_id=client_id,
            client_secret=secret,
            kind=Kind.PUBLISHED,
            sites=DATADOG_SITES.names,
        )
        return TakenOver(registration, slot, lab.store.where)

    def _click(self, action: str, button: str) -> Clicked:
        client_id = self._lab.registration.client_id
        form = next(
            form
            for form in self._browser.open(self._url).forms
            if form.action.endswith(action) and form.fields.get("client_id") == client_id
        )
        answer = self._browser.open(urljoin(self._url, form.action), form.fields)
        return Clicked(WHERE, button, int(bool(answer.location)))


def switch_to(lab: Lab, taken_over: TakenOver) -> Lab:
    """Return a lab with the published registration; the given lab keeps the private one.

    Both talk to the same sandbox and share one store. Each uses slots under its own client id, so
    neither overwrites the other's values.
    """
    if not isinstance(lab.backend, OwnSandbox):
        raise InputError("no_own_sandbox", "This lab doesn't have its own sandbox to publish in.")
    # This keeps the lab, so that the sandbox lives as long as either lab is used.
    return Lab(lab.backend.with_registration(taken_over.registration, after=lab))


def try_organizations(lab: Lab) -> ResultTable:
    """Authorize from each organization on the lab's site, as a final test before release.

    Columns: `client`, `organization`, `result`, `the server said`. These grants are not stored.

    Raises:
        TokenError, AnswerError, NetworkError: a code was issued but not exchanged for tokens.
    """
    labelled = enumerate(lab.backend.organizations, start=1)
    return ResultTable("organizations", [_tried(lab, n, org) for n, org in labelled])


def _tried(lab: Lab, number: int, organization: str) -> dict[str, str]:
    row = {"client": str(lab.registration.kind), "organization": f"number {number}"}
    request = lab.authorization_request()
    try:
        redirect = visit_consent(request, organization=organization)
        response = lab.oauth.receive(redirect, session=ONE_PERSON)
    except AuthorizationError as error:
        return row | {"result": error.code, "the server said": "; ".join(error.said)}
    lab.oauth.exchange(response)
    return row | {
        "organization": response.dd_org_name,
        "result": "tokens",
        "the server said": "",
    }


def _shown(page: BrowserPage) -> tuple[str, Secret]:
    _, _, text = page.text.partition(_SHOWN_ONCE)
    words = text.split()
    if not words:
        what = (
            "The page shows no credentials: they were shown once already, or nothing was published."
        )
        raise InputError("credentials_not_shown", what)
    client_id = words[words.index("id") + 1]
    return client_id, Secret(words[words.index("secret") + 1], label="client_secret")


@rows.register
def _(value: TakenOver) -> Rows:
    registration = value.registration
    return (
        ("client ID", registration.client_id),
        ("client secret", str(registration.secret)),
        ("client", f"{registration.name} ({registration.kind})"),
        ("works on", " ".join(registration.sites)),
        ("stored in", value.kept_in),
        ("stored as", f"{value.slot.kind} of {registration.client_id}"),
    )
