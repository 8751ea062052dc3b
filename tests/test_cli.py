"""The command line exits with 0, 1 or 2, says why in one line, and shows no traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


def _ddoauth(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, with the interpreter of the tests."""
    command = [sys.executable, "-m", "ddoauth_kit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["probe", "--help"], ["sandbox", "--help"]]
)
def test_help(arguments: list[str]) -> None:
    """Every command explains itself."""
    done = _ddoauth(*arguments)
    assert done.returncode == 0
    assert "usage: ddoauth" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["run", "--site", "mars"], "'mars' is no Datadog site"),
        (["run", "99"], "There is no notebook '99'"),
        (["run", "--client", "nowhere.json"], "'nowhere.json' cannot be read"),
        (["run", "--mode", "dream"], "invalid choice"),
        (["sandbox", "--profile", "kind"], "unknown profile 'kind'"),
        (["sandbox", "--fault", "gremlins"], "unknown fault 'gremlins'"),
        (["sandbox", "--fault", "slow:often"], "slow:often"),
        (["sandbox", "--client", "nowhere.json"], "nowhere.json"),
        (["sandbox", "--client", __file__], "test_cli.py"),
        (["sandbox", "--port", "99999"], "99999"),
        (["sandbox", "--latency", "inf"], "latency inf"),
        (["sandbox", "--client", ""], "cannot be read"),
        (["run", "--out", ""], "has no name"),
        (["run", "--out", __file__], "Nothing can be written"),
        (["run", __file__], "is no Jupyter notebook"),
        (["run", "--mode", "live"], "missing_client_id"),
    ],
)
def test_bad_input_exits_with_2(arguments: list[str], words: str) -> None:
    """Bad usage and bad input end with one clear line on stderr and exit code 2."""
    done = _ddoauth(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_port_taken() -> None:
    """A port that is in use is named, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _ddoauth("sandbox", "--port", port)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_serves_until_it_is_told_to_stop(ending: signal.Signals) -> None:
    """When ready, the sandbox prints one line of JSON; SIGINT and SIGTERM end it with 0."""
    command = [sys.executable, "-m", "ddoauth_kit", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        assert len(ready["sites"]) == 9
        assert set(ready["sites"]["us1"]) == {
            "domain",
            "app_url",
            "api_url",
            "logs_intake_url",
            "events_intake_url",
        }
        assert set(ready["client"]) == {
            "client_id",
            "client_secret",
            "redirect_uris",
            "onboarding_url",
            "scopes",
        }
        with urllib.request.urlopen(ready["sites"]["us1"]["app_url"] + "/integrations") as page:
            assert page.status == 200
        process.send_signal(ending)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == b""
        assert b"Traceback" not in process.stderr.read()


def test_sandbox_takes_a_client_file() -> None:
    """`--client` registers a partner's file, with a secret of the sandbox's own."""
    command = [sys.executable, "-m", "ddoauth_kit", "sandbox", "--client"]
    with subprocess.Popen(
        [*command, str(DATA / "reader_client.json")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        client = json.loads(process.stdout.readline())["client"]
        process.terminate()
    assert client["client_id"] == "5f0c9a3e-7d41-4c7f-9a56-0d6f2b1c8e90"
    assert client["client_secret"].startswith("sandbox-")


def test_run_prints_results(tmp_path: Path) -> None:
    """`run` prints a table, or its summary as JSON and nothing else, and exits with 0."""
    done = _ddoauth("run", "00", "--site", "uk1", "--format", "json", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["passed"] == 1
    assert "1/1 passed 00_start_here on uk1" in done.stderr


def test_failing_notebook_exits_with_1(tmp_path: Path) -> None:
    """A notebook that fails makes the exit code 1; the others still run."""
    broken = tmp_path / "broken.ipynb"
    lesson = Path(__file__).parents[1] / "notebooks" / "00_start_here.ipynb"
    broken.write_text(lesson.read_text("utf-8").replace("sites_table()", "sites_table(1)"), "utf-8")
    done = _ddoauth("run", str(broken), "00", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "TypeError: sites_table() takes 0 positional arguments" in done.stdout
    assert "2/2 passed 00_start_here on us1" in done.stderr
    assert (tmp_path / "out" / "summary.json").is_file()


def test_lessons_run_under_nbconvert(tmp_path: Path) -> None:
    """`jupyter nbconvert --execute` runs every lesson as it is, without an error."""
    lessons = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"]
    done = subprocess.run(
        [*command, "--output-dir", str(tmp_path), *map(str, lessons)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) == len(lessons)


def test_interrupt_keeps_what_is_finished(tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM end a run quietly with 130, and what had finished is written."""
    command = [sys.executable, "-m", "ddoauth_kit", "run", "00", "--site", "all", "--out"]
    with subprocess.Popen(
        [*command, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert first.startswith("1/9 passed 00_start_here on us1")
    assert "Traceback" not in err
    assert "00_start_here  us1" in out
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["passed"] >= 1


def test_command_without_the_workbook() -> None:
    """Where only the library is installed, a command names the extra that it needs."""
    code = (
        "import sys\n"
        "for name in ('pandas', 'papermill', 'starlette', 'uvicorn'): sys.modules[name] = None\n"
        "from ddoauth_kit.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    for command in ("run", "probe", "sandbox"):
        done = subprocess.run(
            [sys.executable, "-c", code, command],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ},
        )
        assert done.returncode == 2
        assert "ddoauth-kit[workbook]" in done.stderr
        assert "Traceback" not in done.stderr
