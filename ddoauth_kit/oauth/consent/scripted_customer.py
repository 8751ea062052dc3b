"""Do what a customer does on the sandbox's pages after consent: revoke, disable, uninstall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ddoauth_kit.oauth.consent.scripted_browser import Browser

if TYPE_CHECKING:
    from ddoauth_kit.sites import Site


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that a customer does: the page and its button, in words and for a script."""

    page: str
    button: str
    path: str
    action: str


REVOKE_API_KEY: Final = Errand(
    "Organization Settings > API Keys",
    "Revoke",
    "/organization-settings/api-keys",
    "api-keys/revoke",
)
REVOKE_AUTHORIZATION: Final = Errand(
    "Organization Settings > Mobile and Third-Party Access",
    "Revoke",
    "/organization-settings/authorized-apps",
    "authorized-apps/revoke",
)
DISABLE_SCOPE: Final = Errand(
    "Organization Settings > Mobile and Third-Party Access",
    "Disable",
    "/organization-settings/app-scopes",
    "app-scopes/scope",
)
UNINSTALL: Final = Errand("Integrations", "Uninstall", "/integrations", "integrations/uninstall")


def run_errand(errand: Errand, *, site: Site, **fields: str) -> int:
    """Submit each form on the errand's page that has the errand's action and these fields.

    Return how many forms were accepted.

    Raises:
        NetworkError: `no_network`, if the sandbox has ended.
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
