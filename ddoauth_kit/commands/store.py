"""The command `ddoauth store`: list what is kept, forget it, or hand it over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, answer, say
from ddoauth_kit.store import export_secrets, open_store

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.store import Slot, Store


def add_store(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    kept = commands.add_parser(
        "store",
        help="list, forget or hand over the secrets that are kept here",
        description="Without an option, list what is kept, and show none of it. Exit 1 if what is "
        "to be forgotten is not kept.",
    )
    kept.set_defaults(command=run_store)
    choice = kept.add_mutually_exclusive_group()
    choice.add_argument("--forget", action="append", metavar="NAME", help="a name of the list")
    choice.add_argument("--forget-all", action="store_true")
    choice.add_argument(
        "--export",
        metavar="FILE",
        type=Path,
        help="write all secrets in clear text to a new file that only you can read",
    )


def run_store(options: argparse.Namespace) -> int:
    """Do what was asked for, or list."""
    chosen = open_store()
    if options.export is not None:
        count = export_secrets(chosen.store, to=options.export)
        say(f"{count} secrets are in {options.export}, in clear text: move them, then delete it")
        return SUCCESS
    if options.forget or options.forget_all:
        return _forget(chosen.store, names=options.forget)
    for slot in chosen.store.slots():
        answer(f"{slot.name}  {slot}")
    say(f"kept in {chosen.store.where}" + (f" ({chosen.reason})" if chosen.reason else ""))
    return SUCCESS


def _forget(store: Store, *, names: list[str] | None) -> int:
    held = {slot.name: slot for slot in store.slots()}
    missing = [name for name in names or () if name not in held]
    for name in missing:
        say(f"{name[:80]!a} is not kept here")
    wanted: list[Slot] = [held[name] for name in (names or held) if name in held]
    for slot in wanted:
        store.forget(slot)
        say(f"forgotten: the {slot}")
    return FOUND if missing else SUCCESS
