"""The command `ddoauth skill`: tell a coding assistant about Datadog's OAuth."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import SUCCESS, complain, document, not_written, say
from ddoauth_kit.result_files import write_text

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser

EXAMPLES: Final = ("ddoauth skill", "ddoauth skill --out skills")
FOLDER: Final = "datadog-oauth"


def configure(skill: Parser) -> None:
    """Describe the command and add its options."""
    skill.describe(
        "Print a skill for coding assistants: how to add Datadog's OAuth to a server with or "
        "without this package, ten mistakes, and how to check the result. With --out it is "
        "written to DIR/datadog-oauth/SKILL.md.",
        examples=EXAMPLES,
    )
    skill.set_defaults(command=run_skill)
    skill.add_argument("--out", metavar="DIR", help="the folder for your skills")


def run_skill(options: argparse.Namespace) -> int:
    """Print or write the skill; never overwrite a file that has different contents."""
    text = (files("ddoauth_kit") / "skill" / "SKILL.md").read_text("utf-8")
    if options.out is None:
        document(text.rstrip("\n"))
        return SUCCESS
    path = Path(options.out) / FOLDER / "SKILL.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() != text.encode():
            return complain(f"{path} has different contents. Move it, or use another DIR.")
        write_text(path, text)
    except OSError as error:
        return not_written(error)
    say(f"Wrote {path}.")
    return SUCCESS
