"""Offer the kit on the command line: exit 0 is success, 1 a finding, 2 bad usage or input."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ddoauth_kit.commands.check import add_check
from ddoauth_kit.commands.doctor import add_doctor
from ddoauth_kit.commands.lab import add_lab
from ddoauth_kit.commands.probe import add_probe
from ddoauth_kit.commands.run import add_run
from ddoauth_kit.commands.sandbox import add_sandbox
from ddoauth_kit.commands.scan import add_scan
from ddoauth_kit.commands.store import add_store
from ddoauth_kit.commands.terminal import FOUND, INTERRUPTED, complain, say
from ddoauth_kit.errors import DdoauthError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except DdoauthError as error:
        return complain(str(error))
    except ModuleNotFoundError as error:
        return complain(str(InputError("missing_package", f"{error.name} is not installed.")))
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ddoauth", description="Learn, run and check Datadog's OAuth flow; offline by default."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (
        add_run,
        add_lab,
        add_probe,
        add_check,
        add_sandbox,
        add_scan,
        add_doctor,
        add_store,
    ):
        add(commands)
    return parser
