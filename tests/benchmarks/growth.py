"""Show how `ddoauth run` grows with its runs, beside a Dask cluster of two workers.

Nine runs are one lesson on every site, 99 are eleven lessons; with the argument `297`, three
clients run those eleven.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from runs import Cost
from timing import table

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

LESSONS = 11
CLIENT = Path(__file__).parent.parent / "data" / "reader_client.json"
# The cluster's processes are children of the command, so its cost counts them, too.
ON_DASK = """
import subprocess, sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        command = [*sys.argv[1:], "--executor", cluster.scheduler_address]
        sys.exit(subprocess.run(command).returncode)
"""


def _command(lessons: list[Path], out: Path, *options: str) -> list[str]:
    names = [str(path) for path in lessons]
    run = [sys.executable, "-m", "ddoauth_kit", "run", *names, "--site", "all"]
    return [*run, *options, "--out", str(out)]


def main() -> None:
    """Print a row for each number of runs, and one for the cluster."""
    lessons = find_notebooks()[:LESSONS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        on_dask = folder / "on_dask.py"
        on_dask.write_text(ON_DASK, "utf-8")
        first = lessons[1:2]
        subjects = {
            "9, local": _command(first, folder / "9"),
            "9, two Dask workers": [
                sys.executable,
                str(on_dask),
                *_command(first, folder / "9d"),
            ],
            "99, local": _command(lessons, folder / "99"),
        }
        if "297" in sys.argv[1:]:
            clients = [shutil.copy(CLIENT, folder / f"client{n}.json") for n in range(3)]
            options = [part for client in clients for part in ("--client", str(client))]
            subjects["297, local"] = _command(lessons, folder / "297", *options)
        print(f"load before: {os.getloadavg()[0]:.0f}")  # noqa: T201
        rows = [Cost(command).row(subject) for subject, command in subjects.items()]
        print(f"load after: {os.getloadavg()[0]:.0f}")  # noqa: T201
    print(table(("runs", "wall s", "CPU s", "peak MB (PSS)"), rows))  # noqa: T201


if __name__ == "__main__":
    main()
