"""Act as the customer in a lesson: click in the sandbox, or tell a person what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ddoauth_kit.workbook.lab.scripted_browser import Browser
from ddoauth_kit.workbook.show.cards import Rows, Skipped, rows

if TYPE_CHECKING:
    from ddoauth_kit.sites import Site


@dataclass(frozen=True, slots=True)
class _Errand:
    """One task of a customer: the page and its button, in words and for a script."""

    page: str
    button: str
    path: str
    action: str


_REVOKE_API_KEY: Final = _Errand(
    "Organization Settings > API Keys",
    "Revoke",
    "/organization-settings/api-keys",
    "api-keys/revoke",
)
_REVOKE_AUTHORIZATION: Final = _Errand(
    "Organization Settings > Mobile and Third-Party Access",
    "Revoke",
    "/organization-settings/authorized-apps",
    "authorized-apps/revoke",
)
_DISABLE_SCOPE: Final = _Errand(
    "Organization Settings > Mobile and Third-Party Access",
    "Disable",
    "/organization-settings/app-scopes",
    "app-scopes/scope",
)
_UNINSTALL: Final = _Errand("Integrations", "Uninstall", "/integrations", "integrations/uninstall")


@dataclass(frozen=True, slots=True)
class Clicked:
    """A record of the opened page, the clicked button, and the number of accepted clicks."""

    page: str
    button: str
    times: int


class Customer:
    """Clicks for the customer of one site; without a sandbox, says what a person must do."""

    def __init__(self, site: Site, *, sandbox: bool) -> None:
        self._site = site
        self._sandbox = sandbox

    def revoke_api_key(self, key_id: str) -> Clicked | Skipped:
        """Revoke an API key by its id, on the *API Keys* page."""
        return self._run(_REVOKE_API_KEY, key=key_id)

    def revoke_authorization(self, client_id: str) -> Clicked | Skipped:
        """Revoke an app's authorizations, one by one."""
        return self._run(_REVOKE_AUTHORIZATION, client_id=client_id)

    def disable_scope(self, client_id: str, scope: str) -> Clicked | Skipped:
        """Remove a scope from an app, as an administrator does in Application Scope Management."""
        return self._run(_DISABLE_SCOPE, client_id=client_id, scope=scope, to="off")

    def uninstall(self, client_id: str) -> Clicked | Skipped:
        """Uninstall the integration from its tile."""
        return self._run(_UNINSTALL, client_id=client_id)

    def _run(self, errand: _Errand, **fields: str) -> Clicked | Skipped:
        if not self._sandbox:
            return Skipped(f"In Datadog, open {errand.page} and click {errand.button}.")
        times = _times(errand, site=self._site, **fields)
        return Clicked(errand.page, errand.button, times)


def _times(errand: _Errand, *, site: Site, **fields: str) -> int:
    """Submit each form on the errand's page with the errand's action and these fields.

    Return how many forms were accepted.

    Raises:
        NetworkError: `no_network`, if the sandbox has stopped.
    """
    browser = Browser()
    url = site.app_url + errand.path
    found = [
        form
        for form in browser.open(url).forms
        if form.action.endswith(errand.action) and fields.items() <= form.fields.items()
    ]
    answers = [browser.open(urljoin(url, form.action), form.fields) for form in found]
    return sum(bool(answer.location) for answer in answers)


@rows.register
def _(value: Clicked) -> Rows:
    return (("page", value.page), ("clicked", value.button), ("times", str(value.times)))
