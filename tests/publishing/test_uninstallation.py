"""The section that is written for a partner satisfies every rule, whatever the names are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.folders import CLEAN, README, folder, swap

from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.uninstallation import uninstallation_section

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "Acme Sensors",
    "acme",
    "",
    "  ",
    "A*c*m_e_ [x](y) <b> #1 & `co`",
    "Caf\u00e9 \u00ae",
    "\u30c7\u30fc\u30bf",
    "## Setup\n## Overview",
    "-->",
    "a\x1bb",
    "<!--",
    "Acme | Sensors {#top}",
]
OLD = (CLEAN / README).read_text("utf-8")
OLD = OLD[OLD.index("## Uninst") : OLD.index("\n\n## Data")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("client_name", ["", "Acme for Datadog", "*x*\n# y"])
def test_section_satisfies_every_rule(tmp_path: Path, name: str, client_name: str) -> None:
    """In place of the clean folder's section, it has no findings."""
    section = uninstallation_section(name, client_name=client_name)
    report = check_folder(folder(tmp_path, swap(README, OLD, section)))
    assert report.findings == ()


@pytest.mark.parametrize("name", ["A*c*m_e_ [x](y) <b> #1 & `co`", "Acme | Sensors {#top}"])
def test_names_show_as_they_are(name: str) -> None:
    """Markup in a name is text, and the link filters by the name."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").render(uninstallation_section(name))
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"the integration name, {escaped}, on the" in html
    assert html.count("<a ") == 1


def test_key_is_named_where_the_search_would_miss_it() -> None:
    """A key has the client's name, which is mentioned only if it differs from the integration's."""
    hint = "has Greenhouse in its name"
    assert hint in uninstallation_section("Acme", client_name="Greenhouse")
    assert hint not in uninstallation_section("Acme", client_name="Greenhouse", creates_key=False)
    assert "in its name" not in uninstallation_section("Acme", client_name="ACME for Datadog")


def test_section_has_the_line_endings_asked_for() -> None:
    """A README with CRLF gets a section with CRLF."""
    section = uninstallation_section("Acme", newline="\r\n")
    assert section.count("\r\n") == section.count("\n") == 4
    assert section.replace("\r\n", "\n") == uninstallation_section("Acme")
