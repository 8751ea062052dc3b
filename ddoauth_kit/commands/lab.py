"""The command `ddoauth lab`: open JupyterLab on copies of the lessons."""

from __future__ import annotations

import os
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.parser import port_number
from ddoauth_kit.commands.terminal import FOUND, SUCCESS, say
from ddoauth_kit.doctor.packages import missing_package
from ddoauth_kit.errors import InputError
from ddoauth_kit.own_python import python_command, python_environment

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser

FOLDER: Final = "ddoauth-notebooks"
_ADDRESS: Final = ("--ip", "--ServerApp.ip")
FIRST: Final = "00_start_here.ipynb"
EXAMPLES: Final = (
    "ddoauth lab",
    "ddoauth lab --out my-notebooks --port 8890",
)
_KERNELS: Final = "ddoauth_kit.workbook.runs.safe_kernels.SafeKernelSpecs"


def configure(lab: Parser) -> None:
    """Describe the command and add its options."""
    lab.describe(
        "Copy the notebooks to DIR and open JupyterLab on them. It never overwrites a copy that "
        "you have changed.",
        examples=EXAMPLES,
    )
    lab.set_defaults(command=run_lab)
    lab.add_argument(
        "--out", metavar="DIR", default=FOLDER, help=f"the folder for your copies ({FOLDER})"
    )
    lab.add_argument("--port", type=port_number, metavar="N", help="JupyterLab's port (a free one)")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("--allow-root", action="store_true", help="run as root, as in containers")
    lab.add_argument("jupyter", nargs="*", metavar="-- OPTION", help="more options for JupyterLab")


def run_lab(options: argparse.Namespace) -> int:
    """Copy the missing lessons, say where they are, and run JupyterLab until it ends."""
    from ddoauth_kit.workbook.lessons.copies import copy_notebooks
    from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

    if find_spec("jupyterlab") is None:
        raise missing_package("jupyterlab")
    if not options.out.strip():
        raise InputError("bad_output_folder", "The folder has no name.")
    copies = copy_notebooks(find_notebooks(), folder=Path(options.out).resolve())
    say(f"The notebooks are in {copies.folder}: {len(copies.new)} new.")
    if copies.updated:
        say(f"Updated: {', '.join(copies.updated)}.")
    if copies.kept:
        say(f"Not updated, because you changed them: {', '.join(copies.kept)}.")
        say("To get an original back, rename your copy first.")
    if _is_root():
        where = "" if _chooses_address(options) else "; it listens on this machine only"
        say(f"You are root, so JupyterLab gets --allow-root{where}.")
    return _run(_command(copies.folder, options))


def _is_root() -> bool:
    """Return whether JupyterLab would refuse to start (POSIX only)."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _chooses_address(options: argparse.Namespace) -> bool:
    return any(option.startswith(_ADDRESS) for option in options.jupyter)


def _command(folder: Path, options: argparse.Namespace) -> list[str]:
    own = ["--no-browser"] if options.no_browser else []
    if options.port is not None:
        own += [f"--ServerApp.port={options.port}", "--ServerApp.port_retries=0"]
    if (options.allow_root or _is_root()) and "--allow-root" not in options.jupyter:
        own.append("--allow-root")
    if not _chooses_address(options):
        own.append("--ServerApp.ip=127.0.0.1")
    return [
        *python_command("-m", "jupyterlab"),
        f"--ServerApp.kernel_spec_manager_class={_KERNELS}",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        *own,
        *options.jupyter,
    ]


def _run(command: list[str]) -> int:
    """Run JupyterLab until it ends; it handles Ctrl-C itself, and SIGTERM is forwarded to it."""
    environment = python_environment()
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603 - JupyterLab
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            while process.poll() is None:
                try:
                    process.wait()
                except KeyboardInterrupt:
                    continue
        finally:
            signal.signal(signal.SIGTERM, before)
    return SUCCESS if process.returncode in {0, -signal.SIGTERM} else FOUND
