"""Check the README's uninstallation section, or write it with the integration's names.

Datadog's page on OAuth for integrations requires both statements in that section.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ddoauth_kit.publishing.findings import Edit, Place, RuleFinding, finding, quoted
from ddoauth_kit.publishing.integration import README, Readme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.publishing.integration import Integration
    from ddoauth_kit.publishing.integration_files import TextFile
    from ddoauth_kit.publishing.markdown import Block, Section

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
LEVELS: Final = (2, 3)
_REVOKED: Final = re.compile(
    r"authori[sz]ations?\b[^.]*\brevoked|\brevok\w+[^.]*\bauthori[sz]ation", re.IGNORECASE
)
_API_KEYS: Final = (
    re.compile(r"\bAPI keys?\b", re.IGNORECASE),
    re.compile(r"\b(disabl|revok|remov|delet)", re.IGNORECASE),
    re.compile(r"\bsearch", re.IGNORECASE),
)


def uninstallation_findings(integration: Integration, readme: Readme) -> Iterator[RuleFinding]:
    """Yield the problems in the *Uninstallation* heading and the text below it."""
    headings = readme.page.named(HEADING)
    usable = [heading for heading in headings if heading.level in LEVELS]
    if not usable:
        yield _no_uninstallation(integration, readme)
        return
    first = usable[0]
    for other in headings:
        if other is not first:
            what = f"There is already a heading {HEADING} on line {first.line}."
            yield finding(
                "readme-uninstallation-twice",
                at=Place(README, other.line),
                what=what,
                fix="Keep one of them.",
            )
    setup = readme.page.named("Setup")
    if setup and first.line < setup[0].line:
        what = f"{HEADING} comes before Setup (line {setup[0].line})."
        yield finding(
            "readme-uninstallation-place",
            at=Place(README, first.line),
            what=what,
            fix="Move it after Setup.",
        )
    yield from _statements(integration, readme, readme.page.section(first))


def _no_uninstallation(integration: Integration, readme: Readme) -> RuleFinding:
    """Report that the section is missing, and write it if Setup clearly shows where it belongs."""
    near = [h for h in readme.page.headings if h.text.lower().startswith("uninstall")]
    if near:
        what = f"The heading {quoted(near[0].text)} of level {near[0].level} can't be found by its "
        what += f"anchor: {HEADING} must have level 2 or 3."
        fix = f"Write `## {HEADING}`."
        return finding("readme-uninstallation", at=Place(README, near[0].line), what=what, fix=fix)
    edits: tuple[Edit, ...] = ()
    setup = [h for h in readme.page.named("Setup") if h.level == LEVELS[0]]
    if setup:
        section = readme.page.section(setup[0])
        last = section.blocks[-1] if section.blocks else section.heading
        text = uninstallation_section(
            integration.name,
            client_name=integration.oauth_name,
            creates_key=integration.creates_key,
            newline=readme.file.newline,
        )
        edits = _added(readme.file, text, after=last)
    what = f"There is no heading {HEADING}."
    fix = (
        f"After Setup, add a section `## {HEADING}` that says how authorizations and API keys end."
    )
    return finding("readme-uninstallation", at=Place(README), what=what, fix=fix, edits=edits)


def _statements(
    integration: Integration, readme: Readme, section: Section
) -> Iterator[RuleFinding]:
    revoked = revoked_paragraph(integration.name)
    keys = api_keys_paragraph(
        integration.name,
        client_name=integration.oauth_name,
        creates_key=integration.creates_key,
    )
    at, file, end = Place(README, section.heading.line), readme.file, section.own_end
    if not section.content:
        edits = _added(file, (2 * file.newline).join((revoked, keys)), after=end)
        what, fix = f"The section {HEADING} is empty.", "Say how authorizations and keys end."
        yield finding("readme-uninstallation-empty", at=at, what=what, fix=fix, edits=edits)
        return
    yield from _beginning(section.content[0])
    if not _REVOKED.search(section.text):
        what, fix = (
            ("The section does not say that previous authorizations are revoked."),
            f"Say: {REVOKED}",
        )
        edits = _added(file, revoked, after=end)
        yield finding("readme-revoked", at=at, what=what, fix=fix, edits=edits)
    if not all(words.search(section.text) for words in _API_KEYS):
        what, fix = (
            ("The section does not say which API keys to disable or how to find them."),
            f"Say: {KEYS}",
        )
        edits = _added(file, keys, after=end)
        yield finding("readme-api-keys", at=at, what=what, fix=fix, edits=edits)


def _beginning(first: Block) -> Iterator[RuleFinding]:
    if first.kind != "paragraph":
        what = f"The section {HEADING} starts with a {first.kind.replace('_', ' ')}."
        fix = "Start with a sentence; the marketplace repository checks this."
        at = Place(README, first.line)
        yield finding("readme-uninstallation-paragraph", at=at, what=what, fix=fix)


def uninstallation_section(
    name: str, *, client_name: str = "", creates_key: bool = True, newline: str = "\n"
) -> str:
    """Return the section for a partner's README, without a final line break.

    `name` is the integration's name, which customers search for. If the client creates an API key,
    Datadog names the key after the client, so the text mentions `client_name` if a search for
    `name` would miss it.
    """
    parts = (
        f"## {HEADING}",
        revoked_paragraph(name),
        api_keys_paragraph(name, client_name=client_name, creates_key=creates_key),
    )
    return (2 * newline).join(parts)


def revoked_paragraph(name: str) -> str:
    """Explain how to uninstall, and that this revokes the authorization."""
    return (
        f"To uninstall {_plain(name) or 'this integration'}, open its tile in Datadog and click "
        f"**Uninstall Integration**. {REVOKED}"
    )


def api_keys_paragraph(name: str, *, client_name: str = "", creates_key: bool = True) -> str:
    """Explain where to look for API keys, which outlive the integration."""
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
    """Return the name in a form that is safe in a README, or "" if a rule forbids it."""
    words = " ".join(name.split())
    if not words.isprintable() or any(letter > LAST_CHARACTER for letter in words):
        return ""
    return _MARKUP.sub(r"\\\1", words)


def _added(file: TextFile, text: str, *, after: Block) -> tuple[Edit, ...]:
    """Return the edit that adds text after a block, surrounded by empty lines."""
    starts = (*file.starts, len(file.text))
    line = min(after.after - 1, len(starts) - 1)
    while line > after.line and not file.text[starts[line - 1] : starts[line]].strip():
        line -= 1
    content = file.text[starts[line - 1] : starts[line]].rstrip("\r\n")
    at = starts[line - 1] + len(content)
    following = file.text[starts[line] : starts[line + 1]] if line + 1 < len(starts) else ""
    behind = file.newline if following.strip() else ""
    return (Edit(file.name, at, at, 2 * file.newline + text + behind),)
