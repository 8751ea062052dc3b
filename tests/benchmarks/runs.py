"""Compare `ddoauth run` on every site with a shell loop, with bare nbclient and with a floor."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
from timing import table

from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.local_runner import kernels_at_once

SITES = DATADOG_SITES.names
SAMPLE_SECONDS = 0.25
GROWTH = (1, 2, 4, 6, 10)
NBCLIENT = """
import asyncio, sys
import nbformat
from nbclient import NotebookClient
from papermill.parameterize import parameterize_notebook
from papermill.iorw import load_notebook_node
async def run(free, path, site, out):
    async with free:
        notebook = parameterize_notebook(load_notebook_node(path), {"SITE": site})
        await NotebookClient(notebook, kernel_name="python3").async_execute()
        nbformat.write(notebook, f"{out}/{path.split('/')[-1]}.{site}.ipynb")
async def main(jobs, out, sites, paths):
    free = asyncio.Semaphore(int(jobs))
    await asyncio.gather(*(run(free, p, s, out) for p in paths for s in sites.split(",")))
asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
"""


class Cost:
    """Hold what a command took: wall and CPU seconds, and the most memory at one time (PSS)."""

    def __init__(self, command: list[str]) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self.peak = 0
        ended = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(process.pid, ended))
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        ended.set()
        sampler.join()
        self.wall = time.perf_counter() - started
        self.cpu = usage.ru_utime + usage.ru_stime
        if status:
            raise SystemExit(f"failed: {command}")

    def row(self, name: str) -> tuple[str, ...]:
        """Return the cost as a row of the table."""
        return name, f"{self.wall:.1f}", f"{self.cpu:.1f}", f"{self.peak / 1024:.0f}"

    def _sample(self, root: int, ended: threading.Event) -> None:
        while not ended.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_kilobytes, _tree(root))))


def _tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(
                path.read_text("utf-8").rpartition(")")[2].split()[1]
            )
        except (OSError, ValueError):
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _floor(folder: Path) -> list[Path]:
    """Write notebooks that do the lessons' imports, and nothing else."""
    made = []
    for lesson in find_notebooks():
        notebook = nbformat.read(lesson, as_version=4)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        nodes = [node for source in code for node in ast.parse(source).body]
        imports = [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        notebook.cells = [first, nbformat.v4.new_code_cell("\n".join(imports))]
        made.append(folder / f"floor_{lesson.name}")
        nbformat.write(notebook, made[-1])
    return made


def _run(notebooks: list[Path], out: Path, *options: str, site: str = "all") -> list[str]:
    names = [str(path) for path in notebooks]
    return [
        sys.executable,
        "-m",
        "ddoauth_kit",
        "run",
        *names,
        "--site",
        site,
        *options,
        "--out",
        str(out),
    ]


def _shell_loop(notebooks: list[Path], out: Path) -> list[str]:
    """Return a shell that calls the papermill command for each notebook and site."""
    papermill = f"{sys.executable} -m papermill --no-progress-bar"
    lines = [
        f"{papermill} {path} {out}/{path.stem}.{site}.ipynb -p SITE {site} || exit 1"
        for path in notebooks
        for site in SITES
    ]
    return ["sh", "-c", "\n".join(lines)]


def main() -> None:
    """Print the cost of all lessons on all sites, then how it grows."""
    lessons = find_notebooks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out"
        out.mkdir()
        bare = [sys.executable, "-c", NBCLIENT, str(kernels_at_once()), str(out), ",".join(SITES)]
        subjects = {
            "(a) papermill in a shell loop": _shell_loop(lessons, out),
            "(b) bare nbclient, as many kernels": [*bare, *map(str, lessons)],
            "(c) floor: the imports alone, by ddoauth run": _run(_floor(folder), out),
            "ddoauth run": _run(lessons, out),
            "ddoauth run --cold": _run(lessons, out, "--cold"),
            "(c) floor, --cold": _run(_floor(folder), out, "--cold"),
        }
        rows = [Cost(command).row(subject) for subject, command in subjects.items()]
        head = (f"{len(lessons) * len(SITES)} runs", "wall s", "CPU s", "peak MB (PSS)")
        print(table(head, rows), flush=True)  # noqa: T201
        print()  # noqa: T201
        print(table(("runs", *head[1:]), _growth(lessons, folder=folder)))  # noqa: T201
        print(f"\nThe lessons' own cells take {_own_seconds(folder):.2f} s a run.")  # noqa: T201


def _growth(lessons: list[Path], *, folder: Path) -> list[tuple[str, ...]]:
    """Return the costs of more and more notebooks on all sites: lessons, then copies of them."""
    rows = []
    for count in GROWTH:
        notebooks = [folder / f"{i:02}_copy.ipynb" for i in range(count)]
        for i, path in enumerate(notebooks):
            shutil.copy(lessons[i % len(lessons)], path)
        cost = Cost(_run(notebooks, folder / f"out{count}"))
        rows.append(cost.row(str(count * len(SITES))))
    return rows


def _own_seconds(folder: Path) -> float:
    """Return how long a lesson's cells take, without the kernel's start: mean, one at a time."""
    out = folder / "own"
    Cost(_run(find_notebooks(), out, "--jobs", "1", site="us1"))
    taken = [
        sum(
            cell.metadata.papermill.duration or 0
            for cell in nbformat.read(path, as_version=4).cells
        )
        for path in out.glob("*.us1.ipynb")
    ]
    return sum(taken) / len(taken)


if __name__ == "__main__":
    main()
