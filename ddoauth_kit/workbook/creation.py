"""List the steps that lead from no app to a client, by the paths that Datadog has had.

Source: Datadog's page "Build API-based integrations", today's and its version before the listing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.tables import ResultTable


class CreationStep(NamedTuple):
    """Hold what to do, and what to look out for."""

    do: str
    mind: str = ""


CREATION: Final[dict[str, tuple[CreationStep, ...]]] = {
    "listing": (
        CreationStep("Become a Technology Partner", "OAuth is for approved partners"),
        CreationStep("Open Developer Platform > Publishing > New Listing", ""),
        CreationStep("Choose the configuration method API with OAuth", ""),
        CreationStep("Enter the client's name", "customers read it on the consent page"),
        CreationStep("Enter the onboarding URL", "the tile sends site and domain there"),
        CreationStep("Enter the redirect URIs", "compared whole, port included"),
        CreationStep("Generate the client secret", "store it at once"),
        CreationStep("Choose the scopes", "the fewest that your calls need"),
        CreationStep("Save, then click Test Authorization", "it does what Connect Accounts does"),
    ),
    "app": (
        CreationStep("Open the Developer Platform and create an app", "in your own organization"),
        CreationStep("Mark the app stable", "clients belong to a stable app"),
        CreationStep("Create the OAuth client as a confidential client", "it gets a secret"),
        CreationStep("Enter the redirect URIs", "compared whole, port included"),
        CreationStep("Enter the onboarding URL", "the tile sends site and domain there"),
        CreationStep("Choose the scopes", "the fewest that your calls need"),
        CreationStep("Save, and store id and secret", "the secret is for your server alone"),
        CreationStep("Click Test Authorization", "it does what Connect Accounts does"),
    ),
    "eu": (
        CreationStep("Request access to a sandbox organization on EU1", "ask Datadog"),
        CreationStep("Export the app manifest from your first organization", "it holds no secret"),
        CreationStep("Import the manifest in the EU organization", "this makes a new client"),
        CreationStep("Take the new client's id and secret", "the others fail there"),
        CreationStep("Register them for eu1", "with the form or in the environment"),
        CreationStep("Click Test Authorization there", "its domain is datadoghq.eu"),
    ),
}


def creation_steps(path: str) -> ResultTable:
    """Return the steps of a path: `listing` (today's), `app` (before it) or `eu` (another site).

    Columns: `step`, `do`, `mind`.

    Raises:
        InputError: `unknown_creation_path`.
    """
    if path not in CREATION:
        what = f"{path[:40]!r} is no path; the paths are {', '.join(CREATION)}."
        raise InputError("unknown_creation_path", what)
    rows = [
        {"step": number, "do": step.do, "mind": step.mind}
        for number, step in enumerate(CREATION[path], 1)
    ]
    return ResultTable(f"steps of {path}", rows)
