"""The command line exits with 0, 1 or 2, says why in one line, and shows no traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from support.builders import notebook_file
from support.places import ROOT, TESTS

from ddoauth_kit.cli import main

if TYPE_CHECKING:
    from pathlib import Path

DATA = TESTS / "data"
# This machine may reach the world through a proxy, but itself without one.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _ddoauth(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, with the interpreter of the tests."""
    command = [sys.executable, "-m", "ddoauth_kit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["probe", "--help"],
        ["scan", "--help"],
        ["check", "--help"],
        ["lab", "--help"],
        ["sandbox", "--help"],
        ["explain", "--help"],
        ["completion", "--help"],
    ],
)
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(arguments))
    assert not ended.value.code
    assert "usage: ddoauth" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--site", "mars"], "'mars' is not a Datadog site"),
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
        (["lab", "--out", " "], "has no name"),
        (["lab", "--out", __file__], "Nothing can be written"),
        (["run", "--out", __file__], "Nothing can be written"),
        (["run", __file__], "is not a Jupyter notebook"),
        (["run", "--mode", "live"], "missing_client_id"),
        (["run", "--jobs", "0"], "0 is not a count"),
        (["run", "--timeout", "never"], "never is not a number of seconds"),
        (["run", "--compare", "nowhere"], "contains no results of a run"),
        (["scan", "nowhere"], "There is no 'nowhere'"),
    ],
)
def test_bad_input_exits_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad usage and bad input end with one clear line on stderr and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(arguments))
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


def test_a_process_exits_with_2() -> None:
    """The exit code is the process's own, for bad usage and for bad input."""
    for arguments, words in (["probe", "--mode", "x"], "invalid choice"), (["scan", "x"], "no 'x'"):
        done = _ddoauth(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
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


@pytest.mark.parametrize(
    ("ending", "client"), [(signal.SIGINT, ""), (signal.SIGTERM, "reader_client.json")]
)
def test_sandbox_serves_until_it_is_told_to_stop(ending: signal.Signals, client: str) -> None:
    """When ready, the sandbox prints one line of JSON; SIGINT and SIGTERM end it with 0.

    `--client` registers a partner's file, with a secret of the sandbox's own.
    """
    command = [sys.executable, "-m", "ddoauth_kit", "sandbox"]
    command += ["--client", str(DATA / client)] if client else []
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
        assert ready["client"]["client_secret"].startswith("sandbox-")
        reader = ready["client"]["client_id"] == "5f0c9a3e-7d41-4c7f-9a56-0d6f2b1c8e90"
        assert reader == bool(client)
        with DIRECT.open(ready["sites"]["us1"]["app_url"] + "/integrations") as page:
            assert page.status == 200
        process.send_signal(ending)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == b""
        assert b"Traceback" not in process.stderr.read()


def test_lab_opens_jupyterlab_on_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lab` copies the lessons, says where, serves them with JupyterLab, and ends with it."""
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name.lower()))
    out = tmp_path / "mine"
    further = ["--ServerApp.port=0", "--IdentityProvider.token=canary", "--allow-root"]
    command = [sys.executable, "-m", "ddoauth_kit", "lab", "--no-browser", "--out", str(out)]
    process = subprocess.Popen([*command, "--", *further], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert str(out) in process.stderr.readline()
        (url,) = re.findall(
            r"http://127[^?]+", next(line for line in process.stderr if "http://127" in line)
        )
        assert url.endswith("/lab/tree/00_start_here.ipynb")
        assert b"jupyter-config-data" in _soon(f"{url}?token=canary")
        process.terminate()
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert (out / "00_start_here.ipynb").is_file()


def _soon(url: str) -> bytes:
    """Return a page from a server that announces its address before it listens there."""
    for _ in range(600):
        try:
            with DIRECT.open(url, timeout=60) as page:
                return bytes(page.read())
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("JupyterLab never answered")


def test_run_prints_results(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`run` prints a table, or its summary as JSON and nothing else, and exits with 0."""
    assert main(["run", "00", "--site", "uk1", "--format", "json", "--out", str(tmp_path)]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out)["passed"] == 1
    assert "1/1 passed 00_start_here on uk1" in said.err


def test_failing_notebook_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A notebook that fails makes the exit code 1; the others still run, and a resume is next.

    With other settings the folder is left unchanged.
    """
    code = "from ddoauth_kit.workbook import sites_table\nsites_table(1)"
    broken, works = notebook_file(tmp_path, "broken", code), notebook_file(tmp_path, "works", "1")
    out = tmp_path / "out"
    asked = ["run", str(broken), str(works), "--out", str(out)]
    assert main(asked) == 1
    said = capsys.readouterr()
    assert "TypeError: sites_table() takes 0 positional arguments" in said.out
    assert said.err.startswith("running 2 notebooks on us1, 2 runs; ")
    assert "passed works on us1" in said.err
    assert (out / "summary.json").is_file()
    assert said.out.splitlines()[-2:] == [
        f"Report: {out / 'report.html'}",
        f"Next: ddoauth run {broken} {works} --out {out} --resume",
    ]
    before = (out / "ledger.jsonl").read_bytes()
    assert main([*asked, "--resume", "--writes"]) == 2
    assert "other_settings" in capsys.readouterr().err
    assert (out / "ledger.jsonl").read_bytes() == before
    assert main(["run", str(works), "--compare", str(out), "--out", str(tmp_path / "again")]) == 0
    again = capsys.readouterr().out
    assert "No differences in the cases that both runs have." in again
    assert "broken is only in the earlier run (1 run)" in again
    assert again.splitlines()[-1] == "Next: ddoauth run --site all"


def test_a_lesson_runs_under_nbconvert(tmp_path: Path) -> None:
    """`jupyter nbconvert --execute` runs an unmodified lesson without an error."""
    lesson = str(ROOT / "notebooks" / "09_your_own_app.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", lesson]
    done = subprocess.run(
        [*command, "--output-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) == 1


def test_interrupt_keeps_what_is_finished_and_resume_does_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM ends a run quietly with 130; `--resume` runs what is missing alone.

    tests/workbook/runs/test_canaries.py shows the same of Ctrl-C.
    """
    sites = ("us1", "eu1", "us3")
    # Only the first site's run ends before the interrupt.
    code = "import pathlib, time\n"
    code += f"while SITE != 'us1' and not pathlib.Path({str(tmp_path / 'go')!r}).exists():\n"
    code += "    time.sleep(0.05)"
    notebook, out = notebook_file(tmp_path, "one", code), tmp_path / "out"
    arguments = ["run", str(notebook), "--jobs", "1", "--out", str(out)]
    arguments += [part for site in sites for part in ("--site", site)]
    with subprocess.Popen(
        [sys.executable, "-m", "ddoauth_kit", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        first = next(line for line in lines if "passed one on" in line)
        os.killpg(process.pid, signal.SIGTERM)
        said, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert first.startswith("1/3 passed one on us1")
    assert "Traceback" not in err
    assert "one  us1      passed" in said
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["passed"], len(summary["not_run"])) == (1, 2)
    (tmp_path / "go").touch()
    assert main([*arguments, "--resume"]) == 0
    resumed = capsys.readouterr().err
    assert "1 of 3 passed before and won't run again" in resumed
    assert "1/2 passed one on eu1" in resumed
    assert "passed one on us1 in" not in resumed
    assert json.loads((out / "summary.json").read_text("utf-8"))["passed"] == 3


def test_scan_says_where_and_never_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`scan` exits with 1 and names the place, or with 0; as JSON it prints a list."""
    secret = "sandbox-secret-" + "0123456789" * 4
    (tmp_path / "log.txt").write_text(f"fine\n{secret}\n", "utf-8")
    assert main(["scan", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "log.txt: line 2: credential of the sandbox" in said.out
    assert secret not in said.out + said.err
    assert main(["scan", str(tmp_path), "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)) == 1
    (tmp_path / "log.txt").write_text("fine\n", "utf-8")
    assert main(["scan", str(tmp_path)]) == 0


def test_command_without_the_workbook() -> None:
    """If only the library is installed, a command names the extra that it needs."""
    code = (
        "import sys\n"
        "for name in ('pandas', 'papermill', 'starlette', 'uvicorn'): sys.modules[name] = None\n"
        "from ddoauth_kit.cli import main\n"
        "for command in sys.argv[1:]:\n"
        "    try: ended = main(command.split())\n"
        "    except SystemExit as raised: ended = raised.code\n"
        "    print('ended with', ended, file=sys.stderr)\n"
    )
    commands = ("run 00", "probe", "sandbox")
    done = subprocess.run(
        [sys.executable, "-c", code, *commands], capture_output=True, text=True, check=False
    )
    *said, rest = done.stderr.split("ended with 2\n")
    assert (len(said), rest) == (len(commands), "")
    assert all("ddoauth-kit[workbook]" in text for text in said)
    assert "Traceback" not in done.stderr
