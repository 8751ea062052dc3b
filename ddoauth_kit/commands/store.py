"""The command `ddoauth store`: list, delete or export the stored secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, answer, say
from ddoauth_kit.printable import counted
from ddoauth_kit.store import export_secrets, open_store

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.store import Slot, Store
EXAMPLES: Final = (
    "ddoauth store",
    "ddoauth store --forget-all",
)


def configure(kept: Parser) -> None:
    """Describe the command and add its options."""
    kept.describe(
        "Without an option, list the secrets that are stored, without showing them. Exit 1 "
        "if a name to forget is not in the list.",
        examples=EXAMPLES,
    )
    # argparse does not wrap options that exclude one another.
    kept.usage = (
        "%(prog)s [-h] [--forget NAME | --forget-all\n                      | --export FILE]"
    )
    kept.set_defaults(command=run_store)
    choice = kept.add_mutually_exclusive_group()
    choice.add_argument("--forget", action="append", metavar="NAME", help="a name from the list")
    choice.add_argument("--forget-all", action="store_true", help="forget everything in the list")
    choice.add_argument(
        "--export",
        metavar="FILE",
        type=Path,
        help="write all secrets in clear text to a new file that only you can read",
    )


def run_store(options: argparse.Namespace) -> int:
    """Delete or export what the options name, or list the secrets."""
    chosen = open_store()
    if options.export is not None:
        count = export_secrets(chosen.store, to=options.export)
        say(
            f"wrote {counted(count, 'secret')} to {options.export}, in clear text: move the file's "
            "content, then delete the file"
        )
        return SUCCESS
    if options.forget or options.forget_all:
        return _forget(chosen.store, names=options.forget)
    for slot in chosen.store.slots():
        answer(f"{slot.name}  {slot}")
    if not chosen.store.slots():
        say("nothing is stored")
    say(f"kept in {chosen.store.where}" + (f" ({chosen.reason})" if chosen.reason else ""))
    return SUCCESS


def _forget(store: Store, *, names: list[str] | None) -> int:
    held = {slot.name: slot for slot in store.slots()}
    missing = [name for name in names or () if name not in held]
    for name in missing:
        say(f"{name[:80]!a} is not stored here")
    wanted: list[Slot] = [held[name] for name in (names or held) if name in held]
    for slot in wanted:
        store.forget(slot)
        say(f"forgotten: the {slot}")
    return FOUND if missing else SUCCESS
