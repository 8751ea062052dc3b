"""Write the README's section on uninstallation from an integration's own names.

The two statements are those that Datadog's page on OAuth for integrations asks for.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

HEADING: Final = "Uninstallation"
LAST_CHARACTER: Final = "\u0100"
REVOKED: Final = (
    "Once this integration has been uninstalled, any previous authorizations are revoked."
)
_KEYS: Final = (
    "Additionally, ensure that all API keys associated with this integration have been disabled "
    "by searching for"
)
KEYS: Final = f"{_KEYS} the integration name on the API Keys page."
_KEYS_PAGE: Final = "https://app.datadoghq.com/organization-settings/api-keys"
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def uninstallation_section(
    name: str, *, client_name: str = "", creates_key: bool = True, newline: str = "\n"
) -> str:
    """Return the section for a partner's README, without a line ending after it.

    `name` is the integration's, by which its customers search. Where the client creates an API
    key, Datadog names that after the client: `client_name` is told if the search would miss it.
    """
    parts = (
        f"## {HEADING}",
        revoked_paragraph(name),
        api_keys_paragraph(name, client_name=client_name, creates_key=creates_key),
    )
    return (2 * newline).join(parts)


def revoked_paragraph(name: str) -> str:
    """Return how to uninstall, and that this ends what was authorized."""
    return (
        f"To uninstall {_plain(name) or 'this integration'}, open its tile in Datadog and click "
        f"**Uninstall Integration**. {REVOKED}"
    )


def api_keys_paragraph(name: str, *, client_name: str = "", creates_key: bool = True) -> str:
    """Return where to look for API keys, which outlive the integration."""
    shown, client = _plain(name), _plain(client_name)
    page = f"{_KEYS_PAGE}?filter={quote(name.strip(), safe='')}" if shown else _KEYS_PAGE
    searched = f"the integration name, {shown}," if shown else "the integration name"
    named = (
        f" The key that this integration created has {client} in its name."
        if creates_key and client and (not shown or shown.lower() not in client.lower())
        else ""
    )
    return f"{_KEYS} {searched} on the [API Keys page]({page}).{named}"


def _plain(name: str) -> str:
    """Return a name as it may stand in a README, or nothing where a rule forbids its letters."""
    words = " ".join(name.split())
    if not words.isprintable() or any(letter > LAST_CHARACTER for letter in words):
        return ""
    return _MARKUP.sub(r"\\\1", words)
