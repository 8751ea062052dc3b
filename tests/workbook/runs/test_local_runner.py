"""A run executes every notebook for every site and client, and one failure stops nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat
import papermill
import psutil
import pytest
from support.builders import notebook_file
from support.places import TESTS
from support.waiting import until

from ddoauth_kit.errors import InputError
from ddoauth_kit.socket_folder import short_parent
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.forkserver import _Asker
from ddoauth_kit.workbook.runs.kernel_template import KernelTemplate
from ddoauth_kit.workbook.runs.local_runner import LocalRunner
from ddoauth_kit.workbook.runs.run_matrix import RunSettings, client_of_file, matrix

if TYPE_CHECKING:
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun

READER = TESTS / "data" / "reader_client.json"


def _run(cases: list[Case], out: Path, **limits: Any) -> list[NotebookRun]:
    """Run cases and return their results in the order of the cases."""
    found: list[NotebookRun] = []
    out.mkdir(exist_ok=True)
    assert LocalRunner(**limits).run(cases, settings=RunSettings(), out=out, done=found.append)
    return sorted(found, key=lambda run: [case.name for case in cases].index(run.name))


class Ran(NamedTuple):
    """A run of several notebooks: its folder, its results by name, and how long it took."""

    folder: Path
    runs: dict[str, NotebookRun]
    seconds: float


SHOWS_ITSELF = """
import os, random, sys, numpy
from ddoauth_kit.workbook.show.result_table import ResultTable
mine = globals().get("seen", "nothing"); seen = SITE
os.environ["SEEN"] = os.environ.get("SEEN", "") + SITE
ResultTable("self", [{"pid": os.getpid(), "session": os.getsid(0), "mine": mine,
  "env": os.environ["SEEN"], "random": random.random(), "numpy": numpy.random.random(),
  "python": sys.executable}])
"""
FAILS = ("from ddoauth_kit import DATADOG_SITES", 'DATADOG_SITES.named("mars")')
SITES = ("us1", "eu1", "us3")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run notebooks that pass, fail, take too long, end their kernel and cannot be read."""
    folder = tmp_path_factory.mktemp("ran")
    itself = notebook_file(folder, "self", SHOWS_ITSELF)
    fails = notebook_file(folder, "fails", *FAILS)
    slow = notebook_file(folder, "slow", "print('begun')", "import time; time.sleep(60)")
    dead = notebook_file(folder, "dead", "import os; os.kill(os.getpid(), 9)")
    broken = folder / "broken.ipynb"
    broken.write_text('{"cells": [], "nbformat": 9, "nbformat_minor": 0, "metadata": {}}', "utf-8")
    cases = matrix([slow, dead, broken], sites=["us1"])
    cases += [*matrix([fails], sites=SITES[:2]), *matrix([itself], sites=SITES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        begun = time.perf_counter()
        runs = _run(cases, folder, jobs=3, timeout=9.0)
    return Ran(folder, {run.name: run for run in runs}, time.perf_counter() - begun)


def test_failures_and_tables(ran: Ran) -> None:
    """A failing notebook gets one paragraph, the others run, and all results are on disk."""
    failed = [ran.runs[f"fails.{site}"] for site in SITES[:2]]
    passed = [ran.runs[f"self.{site}"] for site in SITES]
    assert [run.status for run in (*failed, *passed)] == ["failed"] * 2 + ["passed"] * 3
    assert failed[0].error.startswith("InputError: [unknown_site] 'mars' is not a Datadog site.")
    assert "\n" not in failed[0].error
    assert all((ran.folder / run.output).is_file() for run in (*failed, *passed))
    text = (ran.folder / "fails.us1.ipynb").read_text("utf-8")
    assert "An Exception was encountered" in text


def test_forked_kernels_share_imports_and_nothing_else(ran: Ran) -> None:
    """Each notebook has its own process, session, variables, folder and random numbers."""
    rows = [ran.runs[f"self.{site}"].tables["self"][0] for site in SITES]
    assert len({row["pid"] for row in rows}) == 3
    assert all(row["session"] == row["pid"] for row in rows)
    assert tuple(row["env"] for row in rows) == SITES
    assert {row["mine"] for row in rows} == {"nothing"}
    assert len({row["random"] for row in rows}) == len({row["numpy"] for row in rows}) == 3


def test_a_notebook_that_takes_too_long_is_ended(ran: Ran) -> None:
    """The time limit ends the kernel, the others go on, and what there was is written."""
    assert ran.seconds < 60, "its cell would have gone on"
    assert ran.runs["slow.us1"].error == "TimeoutError: The notebook did not finish within 9 s."
    assert ran.runs["self.us1"].error == ""
    assert "begun" in (ran.folder / "slow.us1.ipynb").read_text("utf-8")


def test_a_kernel_that_dies_fails_its_notebook_alone(ran: Ran) -> None:
    """A notebook that kills its kernel is a failure with a name."""
    assert ran.runs["dead.us1"].error == "DeadKernelError: Kernel died"
    assert ran.runs["self.us1"].error == ""


def test_a_notebook_that_cannot_be_read_is_a_failure(ran: Ran) -> None:
    """A file of an unknown format ends as a failure in one line; the others run."""
    assert ran.runs["broken.us1"].status == "failed"
    assert "\n" not in ran.runs["broken.us1"].error


def test_a_run_leaves_no_process_and_no_socket(ran: Ran) -> None:
    """When a run has ended, its kernels have ended, and the folders of their sockets are gone."""
    assert not list(ran.folder.glob("ddoauth-*"))
    for site in SITES:
        with pytest.raises(ProcessLookupError):
            os.kill(ran.runs[f"self.{site}"].tables["self"][0]["pid"], 0)


def test_outputs_are_papermills(ran: Ran) -> None:
    """An executed notebook has papermill's injected cell and metadata."""
    notebook = nbformat.read(ran.folder / "self.eu1.ipynb", as_version=4)
    assert notebook.cells[1].metadata.tags == ["injected-parameters"]
    assert notebook.metadata.papermill.parameters["SITE"] == "eu1"
    assert {cell.metadata.papermill.status for cell in notebook.cells} == {"completed"}
    assert json.loads((ran.folder / "self.eu1.ipynb").read_text("utf-8"))["nbformat"] == 4


@pytest.mark.long
def test_every_lesson_runs_in_a_forked_kernel(tmp_path: Path) -> None:
    """Each passes in a matrix of sites, for a partner's registration.

    Where `papermill` gets the same parameters, a lesson shows the same in a kernel of its own.
    """
    site = "us1-fed"
    clients = [client_of_file(str(READER))]
    whole = matrix(find_notebooks(), sites=["us1", site], clients=clients)
    cases = [case for case in whole if case.site == site]
    runs = _run(cases, tmp_path)
    assert {run.name: run.error for run in runs} == {case.name: "" for case in cases}
    (case,) = (case for case in cases if case.notebook.stem == "05_probe_the_scopes")
    alone = tmp_path / "alone.ipynb"
    given = {"SITE": site, "SITES": site, "CLIENT": str(READER)}
    papermill.execute_notebook(case.notebook, alone, parameters=given, progress_bar=False)
    shown = [_texts(alone), _texts(tmp_path / f"{case.name}.ipynb")]
    assert shown[0] == shown[1]
    assert any(site in text for text in shown[0])
    assert not any("us3" in text for text in shown[0])


def _texts(path: Path) -> list[str]:
    """Return the plain texts of a notebook's outputs."""
    outputs = [
        o for cell in json.loads(path.read_text("utf-8"))["cells"] for o in cell.get("outputs", ())
    ]
    return ["".join(o.get("text") or o.get("data", {}).get("text/plain", ())) for o in outputs]


@pytest.mark.skipif(not KernelTemplate.available, reason="this system cannot fork kernels")
def test_a_template_that_dies_stops_nothing(tmp_path: Path) -> None:
    """Without the process to fork, kernels start as Jupyter starts them."""
    from ddoauth_kit.workbook.runs.execution import execute

    source = notebook_file(tmp_path, "works", "print(SITE)")
    with KernelTemplate.started() as template:
        found: list[psutil.Process] = []
        end = time.monotonic() + 60
        # A program that is just being loaded has no arguments yet.
        while not found and time.monotonic() < end:
            found = [each for each in psutil.Process().children() if _is_template(each)]
        (process,) = found
        process.kill()
        process.wait()
        executed = asyncio.run(
            execute(
                source, output=tmp_path / "o.ipynb", parameters={"SITE": "eu1"}, template=template
            )
        )
    assert executed.error == ""


def _is_template(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # a child of an earlier test may just end
        return "runs.forkserver" in " ".join(process.cmdline())
    return False


def test_a_cancelled_notebook_leaves_no_task(tmp_path: Path) -> None:
    """Nothing looks for the kernel any more, which would end in a traceback on stderr."""
    from ddoauth_kit.workbook.runs.execution import execute

    begun = tmp_path / "begun"
    code = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(60)"
    source = notebook_file(tmp_path, "slow", code)

    async def cancelled() -> set[asyncio.Task[Any]]:
        output = tmp_path / "o.ipynb"
        task = asyncio.create_task(execute(source, output=output, parameters={"SITE": "us1"}))
        while not begun.exists() and not task.done():  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(cancelled()) == set()


@pytest.mark.skipif(not KernelTemplate.available, reason="this system cannot fork kernels")
def test_a_kernel_that_was_only_just_forked_ends_too() -> None:
    """It has no session of its own yet, and would hold up the end of an interrupted run."""
    ours, theirs = socket.socketpair()
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    with theirs, subprocess.Popen(waits) as process:
        _Asker(ours, {process.pid}).end()
        assert process.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.skipif(not KernelTemplate.available, reason="this system cannot fork kernels")
def test_a_lesson_that_runs_lessons_forks_them_from_the_same_process(tmp_path: Path) -> None:
    """The kernels inside have the parent of the one outside, and end with it."""
    report = (
        "import os\n"
        "from ddoauth_kit.workbook.show.result_table import ResultTable\n"
        "ResultTable('self', [{'pid': os.getpid(), 'parent': os.getppid()}])"
    )
    inside = notebook_file(tmp_path, "inside", report)
    trace = tmp_path / "left.pid"
    lasting = f"import os, pathlib, time; new = pathlib.Path({str(trace) + '.new'!r})\n"
    lasting += f"new.write_text(str(os.getpid())); new.rename({str(trace)!r})"
    left = notebook_file(tmp_path, "left", f"{lasting}\ntime.sleep(60)")
    outside = notebook_file(
        tmp_path,
        "outside",
        "import pathlib, threading, time\n"
        "from ddoauth_kit.workbook import run_lessons\n"
        f"runs = run_lessons({str(inside)!r}, sites='us1 eu1')\n"
        f"threading.Thread(target=run_lessons, args=[{str(left)!r}], kwargs={{'sites': 'us1'}},\n"
        "  daemon=True).start()\n"
        f"while not pathlib.Path({str(trace)!r}).exists(): time.sleep(0.05)",
        "runs.table('self')",
        report,
    )
    cases = matrix([outside, notebook_file(tmp_path, "other", report)], sites=["us1"])
    outer, other = (run.tables for run in _run(cases, tmp_path))
    rows = [*outer["self"], *outer["self by site"], *other["self"]]
    assert len({row["parent"] for row in rows}) == 1
    assert len({row["pid"] for row in rows}) == 4
    assert not psutil.pid_exists(int(trace.read_text("ascii")))


def test_a_run_inside_a_notebook(tmp_path: Path) -> None:
    """If an event loop is already running, as in a notebook, a run waits in a thread."""
    cases = matrix([notebook_file(tmp_path, "works", "print(SITE)")], sites=["us1"])

    async def cell() -> list[NotebookRun]:
        return _run(cases, tmp_path)

    assert [run.status for run in asyncio.run(cell())] == ["passed"]


def test_secret_parameters_are_refused(tmp_path: Path) -> None:
    """A value that looks like a secret is refused before anything is written."""
    from ddoauth_kit.workbook.runs.execution import execute

    source = notebook_file(tmp_path, "works", "print(SITE)")
    output = tmp_path / "o.ipynb"
    for parameters in (
        {"KEY": "0" * 31 + "1"},
        {"ACCESS_TOKEN": "qwertz"},
        {"A": ["Bearer abcd1234"]},
    ):
        with pytest.raises(InputError) as caught:
            asyncio.run(execute(source, output=output, parameters=parameters))
        assert caught.value.code == "secret_parameter"
        assert str(next(iter(parameters.values()))) not in str(caught.value)
    assert not output.exists()


def test_kernels_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    """Even SIGKILL, which nothing can handle, leaves no kernel behind."""
    pids = tmp_path / "pids"
    pids.mkdir()
    code = f"import os, time; open(f'{pids}/{{os.getpid()}}', 'w').close(); time.sleep(60)"
    notebooks = [str(notebook_file(tmp_path, name, code)) for name in ("one", "two")]
    command = [sys.executable, "-m", "ddoauth_kit", "run", *notebooks, "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: list(pids.iterdir()))
        process.kill()
    until(lambda: not [path for path in pids.iterdir() if _runs(int(path.name))])


def test_a_closed_terminal_ends_a_run_and_leaves_no_folder(tmp_path: Path) -> None:
    """SIGHUP is an interrupt: finished results are kept, and no kernel's folder stays."""
    begun = tmp_path / "begun"
    slow = f"open({str(begun)!r}, 'w').close(); import time; time.sleep(60)"
    notebooks = [str(notebook_file(tmp_path, *each)) for each in (("one", "1"), ("two", slow))]
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ddoauth_kit", "run", *notebooks, "--out", str(out)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        until(begun.exists)
        parent = short_parent() or tmp_path
        assert list(parent.glob(f"ddoauth-{process.pid}-*"))
        assert process.stdout is not None
        while "passed one" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert json.loads((out / "summary.json").read_text("utf-8"))["passed"] == 1
    assert not list(parent.glob(f"ddoauth-{process.pid}-*"))


def _runs(pid: int) -> bool:
    """Return whether a process lives; what has ended may wait for a parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
