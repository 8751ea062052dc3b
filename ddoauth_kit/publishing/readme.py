"""Check the README: its sections, the section on uninstallation, images and characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ddoauth_kit.publishing.findings import Edit, Place, RuleFinding, finding, quoted
from ddoauth_kit.publishing.integration import README, Readme
from ddoauth_kit.publishing.integration_files import Unreadable, find_file
from ddoauth_kit.publishing.uninstallation import (
    HEADING,
    KEYS,
    LAST_CHARACTER,
    REVOKED,
    api_keys_paragraph,
    revoked_paragraph,
    uninstallation_section,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.publishing.integration import Integration
    from ddoauth_kit.publishing.integration_files import TextFile
    from ddoauth_kit.publishing.markdown import Block, Image, Section

LEVELS: Final = (2, 3)
_IMAGES: Final = "https://raw.githubusercontent.com/DataDog/"
_REVOKED: Final = re.compile(
    r"authori[sz]ations?\b[^.]*\brevoked|\brevok\w+[^.]*\bauthori[sz]ation", re.IGNORECASE
)
_API_KEYS: Final = (
    re.compile(r"\bAPI keys?\b", re.IGNORECASE),
    re.compile(r"\b(disabl|revok|remov|delet)", re.IGNORECASE),
    re.compile(r"\bsearch", re.IGNORECASE),
)
_FOREIGN: Final = re.compile(f"[^\0-{LAST_CHARACTER}]")


def readme_findings(integration: Integration) -> Iterator[RuleFinding]:
    """Yield what is wrong with the README."""
    readme = integration.readme
    if isinstance(readme, Readme):
        yield from _structure(readme)
        yield from _uninstallation(integration, readme)
        yield from _images(integration, readme)
        yield from _characters(readme)
    elif isinstance(readme, Unreadable):
        what = f"{README} {readme.why}."
        fix = "Replace it by a Markdown text in UTF-8."
        yield finding("readme-unreadable", at=Place(README), what=what, fix=fix)
    else:
        what = f"There is no {README}."
        fix = "Write one with the sections Overview, Setup, Uninstallation and Support."
        yield finding("readme-missing", at=Place(README), what=what, fix=fix)


def _structure(readme: Readme) -> Iterator[RuleFinding]:
    for name in ("Overview", "Setup"):
        headings = readme.page.named(name)
        rule = f"readme-{name.lower()}"
        if not headings:
            what, fix = f"There is no heading {name}.", f"Add `## {name}`."
            yield finding(rule, at=Place(README), what=what, fix=fix)
            continue
        first = headings[0]
        if first.level != LEVELS[0]:
            what, fix = f"{name} is a heading of level {first.level}.", f"Write `## {name}`."
            yield finding("readme-heading-level", at=Place(README, first.line), what=what, fix=fix)
        if not readme.page.section(first).content:
            what, fix = f"The section {name} is empty.", "Write a paragraph under the heading."
            yield finding(f"{rule}-empty", at=Place(README, first.line), what=what, fix=fix)


def _uninstallation(integration: Integration, readme: Readme) -> Iterator[RuleFinding]:
    headings = readme.page.named(HEADING)
    usable = [heading for heading in headings if heading.level in LEVELS]
    if not usable:
        yield _no_uninstallation(integration, readme)
        return
    first = usable[0]
    for other in headings:
        if other is not first:
            what = f"There is a heading {HEADING} in line {first.line} already."
            yield finding(
                "readme-uninstallation-twice",
                at=Place(README, other.line),
                what=what,
                fix="Keep one of them.",
            )
    setup = readme.page.named("Setup")
    if setup and first.line < setup[0].line:
        what = f"{HEADING} stands before Setup (line {setup[0].line})."
        yield finding(
            "readme-uninstallation-place",
            at=Place(README, first.line),
            what=what,
            fix="Move it after Setup.",
        )
    yield from _statements(integration, readme, readme.page.section(first))


def _no_uninstallation(integration: Integration, readme: Readme) -> RuleFinding:
    """Report the missing section; where Setup leaves no doubt about its place, write it."""
    near = [h for h in readme.page.headings if h.text.lower().startswith("uninstall")]
    if near:
        what = f"The heading {quoted(near[0].text)} of level {near[0].level} is not found by its "
        what += f"anchor: {HEADING} of level 2 or 3 is asked for."
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
    fix = f"Add a section `## {HEADING}` after Setup that says how authorizations and keys end."
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
        what, fix = "It is not said that previous authorizations are revoked.", f"Say: {REVOKED}"
        edits = _added(file, revoked, after=end)
        yield finding("readme-revoked", at=at, what=what, fix=fix, edits=edits)
    if not all(words.search(section.text) for words in _API_KEYS):
        what, fix = "It is not said which API keys to disable, or how to find them.", f"Say: {KEYS}"
        edits = _added(file, keys, after=end)
        yield finding("readme-api-keys", at=at, what=what, fix=fix, edits=edits)


def _beginning(first: Block) -> Iterator[RuleFinding]:
    if first.kind != "paragraph":
        what = f"The section {HEADING} begins with a {first.kind.replace('_', ' ')}."
        fix = "Begin with a sentence; in the marketplace repository this is checked."
        at = Place(README, first.line)
        yield finding("readme-uninstallation-paragraph", at=at, what=what, fix=fix)


def _images(integration: Integration, readme: Readme) -> Iterator[RuleFinding]:
    for image in readme.page.images:
        fault = _image_fault(integration, image)
        if fault is not None:
            yield fault


def _image_fault(integration: Integration, image: Image) -> RuleFinding | None:
    if image.source.startswith(_IMAGES):
        return None
    try:
        parts = urlsplit(image.source)
        local = not parts.scheme and not parts.netloc and not parts.path.startswith("/")
        path = unquote(parts.path).removeprefix("./")
    except ValueError:
        local, path = False, ""
    if not local or not path.startswith("images/"):
        what = f"The image {quoted(image.source)} is loaded from elsewhere."
        fix = f"Put it into images/, and name it there or as {_IMAGES}<repository>/master/...."
        return finding("readme-image-host", at=Place(README, image.line), what=what, fix=fix)
    if find_file(integration.folder, path) is None:
        what = f"The image {quoted(path)} is not in the folder."
        fix = "Add the file, or correct the name."
        return finding("readme-image-missing", at=Place(README, image.line), what=what, fix=fix)
    return None


def _characters(readme: Readme) -> Iterator[RuleFinding]:
    found = list(_FOREIGN.finditer(readme.file.text))
    if found:
        first = found[0]
        what = f"{len(found)} characters are above U+0100, the first is {quoted(first[0])}."
        fix = "Write them in ASCII, such as -> for an arrow."
        line = readme.file.line_at(first.start())
        yield finding("readme-characters", at=Place(README, line), what=what, fix=fix)


def _added(file: TextFile, text: str, *, after: Block) -> tuple[Edit, ...]:
    """Return the edit that adds a text behind a block, with an empty line on either side."""
    starts = (*file.starts, len(file.text))
    line = min(after.after - 1, len(starts) - 1)
    while line > after.line and not file.text[starts[line - 1] : starts[line]].strip():
        line -= 1
    content = file.text[starts[line - 1] : starts[line]].rstrip("\r\n")
    at = starts[line - 1] + len(content)
    following = file.text[starts[line] : starts[line + 1]] if line + 1 < len(starts) else ""
    behind = file.newline if following.strip() else ""
    return (Edit(file.name, at, at, 2 * file.newline + text + behind),)
