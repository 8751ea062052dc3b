"""The steps for creating a client, for each path that Datadog has offered.

Source: Datadog's pages "Create an API-based integration" and "Build an Integration" (today's), and
"OAuth for Integrations", the page that the first one replaced (the older one).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.show.result_table import ResultTable

TODAY: Final = "today's docs"
OLDER: Final = "older docs"
OURS: Final = "this workbook"
SOURCES: Final = (TODAY, OLDER, OURS)
_DOCS: Final = "https://docs.datadoghq.com/extend/integrations/"
PAGES: Final = {
    "API-based integrations": f"{_DOCS}api_integration/",
    "Build an integration": f"{_DOCS}build_integration/",
}


class CreationStep(NamedTuple):
    """What to do, what to watch out for, and the step's source."""

    do: str
    note: str
    source: str


CREATION: Final[dict[str, tuple[CreationStep, ...]]] = {
    "listing": (
        CreationStep(
            "Join the Datadog Partner Network", "OAuth is for approved Technology Partners", TODAY
        ),
        CreationStep(
            "Open Developer Platform > Publishing > New Listing",
            "in your partner developer organization; choose a type and a name",
            TODAY,
        ),
        CreationStep(
            "Choose the configuration method API with OAuth",
            "on the listing's tab Configuration Method",
            TODAY,
        ),
        CreationStep("Enter the OAuth client's name", "it should match the integration's", TODAY),
        CreationStep("Enter the onboarding URL", "the tile opens it with domain and site", TODAY),
        CreationStep("Add the redirect URIs", "Datadog refuses every other redirect URI", TODAY),
        CreationStep(
            "Generate the client secret",
            "you use it for tests; store it, because it is shown once",
            TODAY,
        ),
        CreationStep(
            "Choose the scopes", ("as few as possible; you need api_keys_write to send data"), TODAY
        ),
        CreationStep("Save the changes", "the test is the next step on the page", TODAY),
        CreationStep("Click Test Authorization", "it does the same as Connect Accounts", TODAY),
    ),
    "app": (
        CreationStep(
            "Open the Developer Platform and create a blank app",
            "each client needs its own app",
            OLDER,
        ),
        CreationStep(
            "Mark the app stable, and save",
            "Datadog lists this here, but do it when you are ready to publish",
            OLDER,
        ),
        CreationStep(
            "Click New Confidential OAuth Client", "its id and secret are shown once", OLDER
        ),
        CreationStep("Store id and secret", "you use them for tests in this organization", OLDER),
        CreationStep(
            "Enter name, description and redirect URIs",
            "Datadog refuses every other redirect URI",
            OLDER,
        ),
        CreationStep("Enter the onboarding URL", "the tile opens it with domain and site", OLDER),
        CreationStep(
            "Choose the scopes", ("as few as possible; you need api_keys_write to send data"), OLDER
        ),
        CreationStep("Save the changes", "the test is the next step on the page", OLDER),
        CreationStep("Click Test Authorization", "it opens the onboarding URL with domain", OLDER),
    ),
    "eu": (
        CreationStep(
            "Get a sandbox organization on EU1",
            "ask ecosystems@datadog.com; today's docs don't mention a test on a second site",
            OLDER,
        ),
        CreationStep(
            "Export the app manifest from your first organization",
            "in the menu behind the app's gear icon",
            OLDER,
        ),
        CreationStep(
            "Import the manifest in the EU organization", "the import creates a new client", OLDER
        ),
        CreationStep(
            "Copy the new client's id and secret", "EU1 refuses those of the first client", OLDER
        ),
        CreationStep(
            "Register them for eu1", "with the form in section 2, or in environment variables", OURS
        ),
        CreationStep(
            "Click Test Authorization there",
            "check that the parameter domain is datadoghq.eu",
            OLDER,
        ),
    ),
}


def creation_steps(path: str) -> ResultTable:
    """Return the steps of a path: `listing` (today's), `app` (older) or `eu` (another site).

    Columns: `step`, `do`, `note`, `source`. `source` is `today's docs`, `older docs` (a page that
    Datadog has replaced, so it may be out of date) or `this workbook`.

    Raises:
        InputError: `unknown_creation_path`.
    """
    if path not in CREATION:
        what = f"{path[:40]!r} is not a path; the paths are {', '.join(CREATION)}."
        raise InputError("unknown_creation_path", what)
    rows = [
        {"step": number, **step._asdict()} for number, step in enumerate(CREATION[path], start=1)
    ]
    return ResultTable(f"steps of {path}", rows)
