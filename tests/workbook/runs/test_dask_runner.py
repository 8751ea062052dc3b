"""The same matrix runs on a Dask cluster of separate processes, also when one of them is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import notebook_file, readable
from support.leaky import POSITIONED, POSITIONS, in_positions
from support.places import TESTS
from support.slots import fill, slots
from support.waiting import until

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, Slot
from ddoauth_kit.workbook.runs.dask_runner import ClusterRunner
from ddoauth_kit.workbook.runs.run_matrix import RunSettings, matrix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddoauth_kit.workbook.runs.run_matrix import NotebookRun

# Asked for without loading it, which takes a third of a second in each process of the tests.
pytestmark = pytest.mark.skipif(
    find_spec("distributed") is None, reason="the extra `dask` is not installed"
)
# Without an address, the scheduler's HTTP server wants port 8787, which another process may have.
ANY_PORT = "127.0.0.1:0"
READER = TESTS / "data" / "reader_client.json"
SECRET = "sandbox-secret-" + "0123456789" * 4
# One site waits for the worker's end, one fails with a secret, and one goes on for too long.
SAYS_ITS_WORKER = (
    "import os, time\n"
    "from pathlib import Path\n"
    "from ddoauth_kit.registration import registration_from_file\n"
    "from ddoauth_kit.workbook.show.result_table import ResultTable\n"
    "Path(os.environ['BEGUN'], f'{SITE}-{os.getppid()}').touch()\n"
    "if SITE == 'us3':\n"
    f"    raise ValueError({SECRET!r})\n"
    "while SITE == 'us1' and not Path(os.environ['KILLED']).exists(): time.sleep(0.05)\n"
    "time.sleep(60 if SITE == 'us5' else 0)\n"
    "seen = registration_from_file(CLIENT).name\n"
    "ResultTable('self', [{'worker': os.getppid(), 'seen': seen}])"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Run a worker with one thread, in a separate process, as a scheduler would."""
    with _workers(1) as running:
        yield running


def _workers(many: int) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=many, threads_per_worker=1, processes=True, dashboard_address=ANY_PORT
    )


@pytest.mark.long
def test_a_killed_worker_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two workers is killed in the middle of `ddoauth run --executor` for a client file.

    All cases end, once or marked as begun twice, and leave the same files as without a cluster. A
    failing or slow notebook is a result like any other; secrets are masked on the worker.
    """
    notebook = notebook_file(tmp_path, "self", SAYS_ITS_WORKER)
    sites = ("us1", "us3", "us5", "eu1")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ddoauth_kit", "run", str(notebook), "00", "--format", "json"]
    chosen = [part for site in sites for part in ("--site", site)]
    begun = tmp_path / "begun"
    begun.mkdir()
    monkeypatch.setenv("BEGUN", str(begun))
    monkeypatch.setenv("KILLED", str(tmp_path / "killed"))
    with (
        _workers(2) as cluster,
        subprocess.Popen(
            [
                *command,
                *chosen,
                "--client",
                str(READER),
                "--timeout",
                "12",
                "--out",
                str(out),
                "--executor",
                cluster.scheduler_address,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        until(lambda: list(begun.glob("us1-*")))
        killed = int(next(begun.glob("us1-*")).name.rpartition("-")[2])
        os.kill(killed, signal.SIGKILL)
        (tmp_path / "killed").touch()
        said, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "Traceback" not in err
    runs = json.loads(said)["runs"]
    found = {run["site"]: run for run in runs if run["notebook"] == "self"}
    lesson = [run for run in runs if run["notebook"] == "00_start_here"]
    assert set(found) == {run["site"] for run in lesson} == set(sites)
    assert [run["error"] for run in (found["us1"], found["eu1"], *lesson)] == [""] * 6
    assert found["us3"]["error"] == "ValueError: <sandbox_secret>"
    assert found["us5"]["error"].startswith("TimeoutError")
    starts: dict[str, int] = {}
    for path in begun.iterdir():
        site = path.name.rpartition("-")[0]
        starts[site] = starts.get(site, 0) + 1
    assert {site: run["attempts"] for site, run in found.items()} == starts
    assert max(starts.values()) == 2
    text = (out / "tables" / "self.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["site"] for row in rows} == {"us1", "eu1"}
    assert str(killed) not in {row["worker"] for row in rows}
    assert {row["seen"] for row in rows} == {"Reader by Example"}
    assert all((out / run["output"]).with_suffix(".html").is_file() for run in runs)
    assert not [path for path in out.glob("*.*") if SECRET in path.read_text("utf-8")]


def test_an_interrupt_keeps_what_had_ended(cluster: Any, tmp_path: Path) -> None:
    """Ctrl-C ends a run on a cluster with 130, and its results are written."""
    ended = tmp_path / "ended"
    waits = f"while SITE != 'us1' and not Path({str(ended)!r}).exists(): time.sleep(0.05)"
    notebook = notebook_file(tmp_path, "one", f"import time\nfrom pathlib import Path\n{waits}")
    command = [sys.executable, "-m", "ddoauth_kit", "run", str(notebook), "--site", "all", "--out"]
    with subprocess.Popen(
        [*command, str(tmp_path), "--executor", cluster.scheduler_address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("running one on ")
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    ended.touch()
    assert first.startswith("1/9 passed one")
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["passed"] == 1


LEAKS = (
    "print({0})",
    "print({0}[:9], end=''); print({0}[9:])",
    "print(json.dumps({{'a': {0}}}))",
    "print(json.dumps(json.dumps({0})))",
    "print(quote({0}, safe=''))",
    "print(quote(quote({0}, safe=''), safe=''))",
    "print(b64encode({0}.encode()).decode())",
    "print(b64encode(b'user:' + {0}.encode()).decode())",
    "print({0}.encode().hex())",
    "print(html.escape({0}))",
    "print({0}, file=sys.stderr)",
    "display({0})",
    "display(HTML('<b>' + html.escape({0}) + '</b>'))",
    "display(HTML('x'), metadata={{'note': {0}}})",
    "display({{'application/json': {{'a': [{0}]}}, 'text/plain': 'x'}}, raw=True)",
    "display({{'text/markdown': {0}, 'text/plain': 'x'}}, raw=True)",
    "{{{0}: 1}}",
    "[{0}] * 3",
    "print(repr({0}))",
    "ResultTable('t', [{{'a': {0}, 'b': 1}}])",
    "raise ValueError({0})",
)


@pytest.mark.checklist("N1")
def test_a_secret_of_the_sender_alone(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No order or written file contains a secret that the workers don't know."""
    canary, stored = "canary/sender+key=4711&x", "canary-stored-token-4711"
    monkeypatch.setenv("DD_API_KEY", canary)
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
    slot = Slot("grant", "us1", "other", "private", "org")
    FileStore(tmp_path / "store").put(slot, Secret(f'{{"refresh_token": "{stored}"}}', label="x"))
    modules = (
        "import html, json, sys\nfrom base64 import b64encode\nfrom urllib.parse import quote\n"
        "from IPython.display import HTML, display\n"
        "from ddoauth_kit.workbook.show.result_table import ResultTable"
    )
    # The worker puts each together of two halves, which nobody masks in the source.
    made = [f"A{i} = {s[:9]!r}; B{i} = {s[9:]!r}" for i, s in enumerate((canary, stored))]
    shown = [leak.format(f"(A{i} + B{i})") for leak in LEAKS[:-1] for i in range(2)]
    literal = f"HERE = {canary!r}; ALSO = {stored!r}"
    end = LEAKS[-1].format("(A0 + B0)")
    prints = "".join(f"    print({each})\n" for each in POSITIONS)
    positions = f"{POSITIONED}for s in (A0 + B0, A1 + B1):\n{prints}"
    notebook = notebook_file(tmp_path, "leaks", modules, *made, *shown, positions, literal, end)
    (case,) = matrix([notebook], sites=["us1"])
    runner = ClusterRunner(cluster.scheduler_address)
    order = runner._order(case, settings=RunSettings())
    assert not [secret for secret in (canary, stored) if secret in repr(order)]
    out = tmp_path / "out"
    out.mkdir()
    found: list[NotebookRun] = []
    assert runner.run([case], settings=RunSettings(), out=out, done=found.append)
    text = (out / "leaks.us1.ipynb").read_text("utf-8")
    assert found[0].error == "ValueError: <DD_API_KEY>"
    assert found[0].tables["t"][0] == {"a": "<refresh_token>", "b": 1}
    assert text.count("<DD_API_KEY>") > len(LEAKS)
    outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", ())]
    printed = "".join("".join(o.get("text", "")) for o in outputs)
    assert not [form for form in in_positions((canary, stored)) if form in printed]
    assert not [s for s in (canary, stored) if readable(s, text) or readable(s, repr(found))]


@pytest.mark.checklist("N5")
def test_every_slot_of_the_sender(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that sends the sender's secrets back, slot by slot, reveals none of them.

    Each stands in four of the positions. A run without a cluster shows each in all of them, in
    test_run_secrets.py.
    """
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
    canaries = fill(FileStore(tmp_path / "store"), slots())
    backwards = f"BACKWARDS = {[canary[::-1] for canary in canaries]!r}"
    functions = ", ".join(f"lambda s: {each}" for each in POSITIONS)
    shown = (
        f"{POSITIONED}FUNCTIONS = [{functions}]\n"
        "for number, each in enumerate(BACKWARDS):\n"
        "    for place in range(number, number + len(FUNCTIONS), len(FUNCTIONS) // 4):\n"
        "        print(FUNCTIONS[place % len(FUNCTIONS)](each[::-1]))\n"
        "print('end')"
    )
    notebook = notebook_file(tmp_path, "slots", backwards, shown, f"# {canaries}")
    (case,) = matrix([notebook], sites=["us1"])
    runner = ClusterRunner(cluster.scheduler_address)
    order = repr(runner._order(case, settings=RunSettings()))
    assert not [secret for secret in canaries if secret in order]
    out = tmp_path / "out"
    out.mkdir()
    found: list[NotebookRun] = []
    assert runner.run([case], settings=RunSettings(), out=out, done=found.append)
    assert found[0].error == ""
    text = (out / "slots.us1.ipynb").read_text("utf-8")
    outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", ())]
    printed = "".join("".join(o.get("text", "")) for o in outputs)
    assert printed.endswith("end\n")
    assert not [form for form in in_positions(canaries) if form in printed]
    assert not [s for s in canaries if readable(s, text) or readable(s, repr(found))]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:1", "refused"),
        ("127.0.0.1:9", "refused"),
        ("nonsense://x", "does not begin with tcp://"),
        ("ucx://127.0.0.1:1", "does not begin with tcp://"),
        ("tcp://nobody", "not a host and a port"),
        ("tcp://x:70000", "not a host and a port"),
    ],
)
def test_no_scheduler_there(
    address: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An address without a scheduler is refused by name, at once and quietly."""
    begun = time.monotonic()
    with pytest.raises(InputError, match=words) as caught:
        ClusterRunner(address).run([], settings=RunSettings(), out=tmp_path, done=print)
    assert caught.value.code == "no_executor"
    assert time.monotonic() - begun < 5
    assert capfd.readouterr() == ("", "")
