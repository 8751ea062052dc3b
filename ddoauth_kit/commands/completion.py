"""The command `ddoauth completion`: print code that lets bash, zsh or fish complete a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.parser import listed
from ddoauth_kit.commands.terminal import SUCCESS, document

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser

EXAMPLES: Final = (
    'eval "$(ddoauth completion bash)"',
    'eval "$(ddoauth completion zsh)"',
    "ddoauth completion fish | source",
)

FILES: Final = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc, after the line that runs compinit",
    "fish": "~/.config/fish/config.fish",
}


def configure(completion: Parser) -> None:
    """Describe the command and add its options."""
    completion.describe(
        "Print shell code that completes commands, options and their values: sites, scopes, "
        "lessons, error codes, faults, profiles and requirements. Put the example for your shell "
        "at the end of its start-up file, and open a new terminal.",
        examples=EXAMPLES,
        more=listed("start-up files", FILES),
    )
    completion.set_defaults(command=run_completion)
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], help="your shell")


def run_completion(options: argparse.Namespace) -> int:
    """Print the shell code."""
    from argcomplete.shell_integration import shellcode

    document(shellcode(["ddoauth"], shell=options.shell).strip())
    return SUCCESS
