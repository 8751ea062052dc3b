"""Act for the customer in a lesson: click in the sandbox, or tell a person in live mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.oauth.consent.scripted_customer import (
    DISABLE_SCOPE,
    REVOKE_API_KEY,
    REVOKE_AUTHORIZATION,
    UNINSTALL,
    Errand,
    run_errand,
)
from ddoauth_kit.workbook.show.cards import Rows, Skipped, rows

if TYPE_CHECKING:
    from ddoauth_kit.sites import Site


@dataclass(frozen=True, slots=True)
class Clicked:
    """Record which page was opened, what was clicked, and how many clicks were accepted."""

    page: str
    button: str
    times: int


class Customer:
    """Click for the customer of one site; without a sandbox, say what a person must do."""

    def __init__(self, site: Site, *, sandbox: bool) -> None:
        self._site = site
        self._sandbox = sandbox

    def revoke_api_key(self, key_id: str) -> Clicked | Skipped:
        """Revoke an API key by its id, on the *API Keys* page."""
        return self._run(REVOKE_API_KEY, key=key_id)

    def revoke_authorization(self, client_id: str) -> Clicked | Skipped:
        """Revoke an app's authorizations, one by one."""
        return self._run(REVOKE_AUTHORIZATION, client_id=client_id)

    def disable_scope(self, client_id: str, scope: str) -> Clicked | Skipped:
        """Remove a scope from an app, as an administrator does in Application Scope Management."""
        return self._run(DISABLE_SCOPE, client_id=client_id, scope=scope, to="off")

    def uninstall(self, client_id: str) -> Clicked | Skipped:
        """Uninstall the integration from its tile."""
        return self._run(UNINSTALL, client_id=client_id)

    def _run(self, errand: Errand, **fields: str) -> Clicked | Skipped:
        if not self._sandbox:
            return Skipped(f"In Datadog, open {errand.page} and click {errand.button}.")
        times = run_errand(errand, site=self._site, **fields)
        return Clicked(errand.page, errand.button, times)


@rows.register
def _(value: Clicked) -> Rows:
    return (("page", value.page), ("clicked", value.button), ("times", str(value.times)))
