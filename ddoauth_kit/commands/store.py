"""The command `ddoauth store`: list, delete or export the stored secrets."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, answer, say
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import counted
from ddoauth_kit.store import EnvironmentFirst, open_store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.store import Slot, Store
EXAMPLES: Final = (
    "ddoauth store",
    "ddoauth store --forget-all",
)


def configure(kept: Parser) -> None:
    """Describe the command and add its options."""
    kept.describe(
        "Without an option, list the stored secrets, but not their values. Exit 1 "
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
            f"wrote {counted(count, 'secret')} to {options.export}, in clear text: move its "
            "contents to a safe place, then delete the file"
        )
        return SUCCESS
    if options.forget or options.forget_all:
        return _forget(chosen.store, names=options.forget)
    for slot in chosen.store.slots():
        answer(f"{slot.name}  {slot}")
    if not chosen.store.slots():
        say("nothing is stored")
    say(f"stored in {chosen.store.where}" + (f" ({chosen.reason})" if chosen.reason else ""))
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


def export_secrets(store: Store, *, to: int | Path, slots: Iterable[Slot] | None = None) -> int:
    """Write secrets in clear text, one JSON object per line, and return their number.

    `to` is an open file descriptor that is not a terminal, or the path of a new file, which is
    created with mode 0600. Each object has the fields of `Slot` and `secret`. Unless `slots` names
    some, all slots that the store lists are written. Secrets in the environment are not.

    Raises:
        InputError: `bad_export`, or `not_stored` for a store that cannot be read.
    """
    store = store.beneath if isinstance(store, EnvironmentFirst) else store
    chosen = store.slots() if slots is None else tuple(slots)
    pairs = [(slot, store.get(slot)) for slot in chosen]
    lines = [
        json.dumps({**asdict(slot), "secret": secret.reveal()}) + "\n"
        for slot, secret in pairs
        if secret is not None
    ]
    file, ours = _opened(to)
    try:
        with os.fdopen(file, "w", encoding="utf-8", closefd=ours) as opened:
            opened.writelines(lines)
    except OSError as error:
        raise InputError("bad_export", f"The export was interrupted: {error.strerror}.") from None
    return len(lines)


def _opened(to: int | Path) -> tuple[int, bool]:
    """Return a file descriptor, and whether the caller must close it."""
    if isinstance(to, int):
        if os.isatty(to):
            raise InputError("bad_export", "A terminal would show the secrets.")
        return to, False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(to, flags, 0o600), True
    except OSError as error:
        raise InputError("bad_export", f"{to} cannot be created: {error.strerror}.") from None
