"""Do what a customer does on Datadog's own pages, in the sandbox; in live mode, say what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ddoauth_kit.oauth.consent.scripted_browser import Browser
from ddoauth_kit.workbook.show.cards import Rows, Skipped, rows

if TYPE_CHECKING:
    from ddoauth_kit.sites import Site

KEYS: Final = "/organization-settings/api-keys"
APPS: Final = "/organization-settings/authorized-apps"
SCOPES: Final = "/organization-settings/app-scopes"
TILES: Final = "/integrations"


@dataclass(frozen=True, slots=True)
class Clicked:
    """Say which page was opened, what was clicked, and how often that was accepted."""

    page: str
    button: str
    times: int


class Customer:
    """Click for the customer of one site: revoke, disable, uninstall.

    Without a sandbox nothing is clicked: each method returns what a person has to do.
    """

    def __init__(self, site: Site, *, sandbox: bool) -> None:
        self._site = site
        self._sandbox = sandbox

    def revoke_api_key(self, key_id: str) -> Clicked | Skipped:
        """Revoke an API key by its id, on the page *API Keys*."""
        where = "Organization Settings > API Keys"
        return self._click(KEYS, "api-keys/revoke", where=where, button="Revoke", key=key_id)

    def revoke_authorization(self, client_id: str) -> Clicked | Skipped:
        """Revoke an app's authorizations, one by one."""
        where = "Organization Settings > Mobile and Third-Party Access"
        action = "authorized-apps/revoke"
        return self._click(APPS, action, where=where, button="Revoke", client_id=client_id)

    def disable_scope(self, client_id: str, scope: str) -> Clicked | Skipped:
        """Take a scope from an app, as an administrator does under Application Scope Management."""
        where = "Organization Settings > Mobile and Third-Party Access"
        wanted = {"client_id": client_id, "scope": scope, "to": "off"}
        return self._click(SCOPES, "app-scopes/scope", where=where, button="Disable", **wanted)

    def uninstall(self, client_id: str) -> Clicked | Skipped:
        """Uninstall the integration, on its tile."""
        action = "integrations/uninstall"
        return self._click(
            TILES, action, where="Integrations", button="Uninstall", client_id=client_id
        )

    def _click(
        self, path: str, action: str, *, where: str, button: str, **wanted: str
    ) -> Clicked | Skipped:
        """Open a page and send each form that has the wanted action and fields."""
        if not self._sandbox:
            return Skipped(f"In Datadog, open {where} and click {button}.")
        browser = Browser()
        url = self._site.app_url + path
        found = [
            form
            for form in browser.open(url).forms
            if form.action.endswith(action) and wanted.items() <= form.fields.items()
        ]
        answers = [browser.open(urljoin(url, form.action), form.fields) for form in found]
        return Clicked(where, button, sum(bool(answer.location) for answer in answers))


@rows.register
def _(value: Clicked) -> Rows:
    return (("page", value.page), ("clicked", value.button), ("times", str(value.times)))
