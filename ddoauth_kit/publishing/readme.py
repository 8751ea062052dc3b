"""Check the README's sections, images and characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ddoauth_kit.printable import counted
from ddoauth_kit.publishing.findings import Place, RuleFinding, finding, quoted
from ddoauth_kit.publishing.integration import README, Readme
from ddoauth_kit.publishing.integration_files import Unreadable, find_file
from ddoauth_kit.publishing.uninstallation import LAST_CHARACTER, LEVELS, uninstallation_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.publishing.integration import Integration
    from ddoauth_kit.publishing.markdown import Image

_IMAGES: Final = "https://raw.githubusercontent.com/DataDog/"
_FOREIGN: Final = re.compile(f"[^\0-{LAST_CHARACTER}]")


def readme_findings(integration: Integration) -> Iterator[RuleFinding]:
    """Yield the problems in the README."""
    readme = integration.readme
    if isinstance(readme, Readme):
        yield from _structure(readme)
        yield from uninstallation_findings(integration, readme)
        yield from _images(integration, readme)
        yield from _characters(readme)
    elif isinstance(readme, Unreadable):
        what = f"{README} {readme.why}."
        fix = "Replace it with Markdown in UTF-8."
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
        what = f"The image {quoted(image.source)} is loaded from another host."
        fix = f"Put it in images/, and refer to it there or as {_IMAGES}<repository>/master/...."
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
        are = "is" if len(found) == 1 else "are"
        count = counted(len(found), "character")
        what = f"{count} {are} above U+0100; the first one is {quoted(first[0])}."
        fix = "Write them in ASCII, such as -> for an arrow."
        line = readme.file.line_at(first.start())
        yield finding("readme-characters", at=Place(README, line), what=what, fix=fix)
