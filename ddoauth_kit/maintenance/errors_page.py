"""Write `.github/ERRORS.md`, the page about errors, from the explanations.

`python -m ddoauth_kit.maintenance.errors_page` rewrites it; `--check` only compares.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors.explainer import explanations
from ddoauth_kit.maintenance.lesson_navigation import rewrite
from ddoauth_kit.workbook.lessons.notebooks import notebooks_folder

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.errors.explainer import Explanation

HEAD: Final = """\
<!-- written by `python -m ddoauth_kit.maintenance.errors_page` -->

# Errors, explained

Each of the kit's errors has a code, which stays the same even if the wording changes.
The code comes first in the message, and is also in `error.code`.
`ddoauth_kit.errors.explainer.explain(error)` returns the same explanations as this page.

Datadog's messages are quoted from its documentation, public reports or recorded responses.
The words "not documented" and "assumes" mark statements that none of these sources confirms.
The sandbox has its own [list of behaviours](../ddoauth_kit/sandbox/README.md), with evidence.
"""
_SENTENCE_END: Final = re.compile(r"(?<=\.) (?=[A-Z`])")


def page() -> str:
    """Return the whole page: a list of codes by group, then a section for each."""
    groups = explanations()
    contents = [_contents(title, group) for title, group in groups.items()]
    parts = [HEAD, "\n".join(contents) + "\n"]
    for title, group in groups.items():
        parts += [f"# {title}\n", *(_section(explanation) for explanation in group)]
    return "\n".join(parts)


def sentences(text: str) -> list[str]:
    """Split text between sentences; a sentence begins with a capital letter or with code."""
    return _SENTENCE_END.split(text)


def page_path() -> Path:
    """Return the page's path in the repository."""
    return notebooks_folder().parent / ".github" / "ERRORS.md"


def rewritten() -> dict[Path, str]:
    """Return the page's path and new text if it is out of date, or else nothing."""
    path, text = page_path(), page()
    fresh = path.is_file() and path.read_text("utf-8") == text
    return {} if fresh else {path: text}


def _contents(title: str, group: tuple[Explanation, ...]) -> str:
    links = ", ".join(f"[{entry.code}](#{entry.code})" for entry in group)
    anchor = title.lower().replace(" ", "-")
    return f"- [{title}](#{anchor}): {links}"


def _section(entry: Explanation) -> str:
    fix = entry.fix[0].upper() + entry.fix[1:]
    paragraphs = [("Cause", entry.cause), ("Evidence", entry.evidence), ("Fix", fix)]
    lines = [f"## {entry.code}", ""]
    for name, text in paragraphs:
        lines += [f"**{name}.**", *sentences(text), ""]
    if entry.sources:
        links = ", ".join(f"[{title}]({url})" for title, url in entry.sources)
        lines += [f"**Sources.** {links}", ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Update the page if necessary; with `--check`, only print its name and exit with 1."""
    return rewrite(rewritten(), check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
