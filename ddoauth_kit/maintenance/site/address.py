"""Add a link to the published site to the README once its address is set.

The setting is `site` below `[tool.ddoauth-kit]` in pyproject.toml. `python -m
ddoauth_kit.maintenance.site.address` rewrites the README; `--check` only compares.
"""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING, Final

from ddoauth_kit.maintenance.lesson_navigation import rewrite
from ddoauth_kit.maintenance.site.parts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- site: begin -->"
END: Final = "<!-- site: end -->"


def site_address(project: str) -> str:
    """Return the address set in the text of pyproject.toml, or an empty string."""
    found: str = tomllib.loads(project)["tool"]["ddoauth-kit"]["site"]
    return found


def with_offer(readme: str, *, address: str) -> str:
    """Return the README's text with the link, or nothing, between its two markers."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    offer = f"[open it in your browser]({address}), or " if address else ""
    return f"{head}{BEGIN}{offer}{END}{tail}"


def rewritten() -> dict[Path, str]:
    """Return the README's path and new text if it is out of date, or else nothing."""
    text = README.read_text("utf-8")
    fresh = with_offer(text, address=site_address((ROOT / "pyproject.toml").read_text("utf-8")))
    return {} if fresh == text else {README: fresh}


def main(arguments: list[str]) -> int:
    """Update the README if necessary; with `--check`, only print its name and exit with 1."""
    return rewrite(rewritten(), check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
