"""Write `.github/CHECKS.md`, the page about the rules of `ddoauth check`.

`python -m ddoauth_kit.maintenance.checks_page` rewrites it; `--check` only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from ddoauth_kit.maintenance.lesson_navigation import rewrite
from ddoauth_kit.publishing.rules import RULES

HEAD: Final = """\
<!-- written by `python -m ddoauth_kit.maintenance.checks_page` -->

# What `ddoauth check` looks at

A "must" blocks publication: Datadog's page requires it, or every integration accepted with OAuth complies with it.
A "should" is something that a reviewer or Datadog's own tools may ask for.
"Advice" is a hint that many accepted integrations don't follow.
Only a broken "must" makes the command exit with 1.

ddev is Datadog's tool for its integrations repositories; the counts refer to DataDog/integrations-extras in August 2026.
The page "OAuth for integrations" has since been replaced by "API integrations", where setup and uninstallation are fields of a listing; the files are still read and edited for integrations that have them.
The OAuth client's file is a copy of the values in the Developer Platform, so the command doesn't offer a patch for it.

| rule | severity | what | source |
|---|---|---|---|
"""  # noqa: E501 - prose has a sentence a line
PATH: Final = Path(__file__).parents[2] / ".github" / "CHECKS.md"


def page() -> str:
    """Return the whole page, with a row for each rule in the order of the files."""
    rows = [
        f"| `{rule.id}` | {rule.severity} | {rule.what} | {rule.source} |\n"
        for rule in RULES.values()
    ]
    return HEAD + "".join(rows)


def main(arguments: list[str]) -> int:
    """Update the page if necessary; with `--check`, only print its name and exit with 1."""
    text = page()
    fresh = PATH.is_file() and PATH.read_text("utf-8") == text
    return rewrite({} if fresh else {PATH: text}, check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
