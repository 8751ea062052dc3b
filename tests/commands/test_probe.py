"""`ddoauth probe` covers every site and scope, in three formats, and exits as documented."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.places import TESTS

from ddoauth_kit import cli
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

DATA = TESTS / "data"
FIELDS = {"site", "scope", "verdict", "method", "path", "status", "seconds", "evidence"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process; return its exit code, stdout and stderr."""
    for name in ("DDOAUTH_CLIENT_ID", "DDOAUTH_CLIENT_SECRET", "DDOAUTH_CLIENT_FILE"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["probe", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def _rows(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def test_every_site(run: Run) -> None:
    """All sites have a row for each scope, in the order of the table of sites."""
    code, out, _ = run("--site", "all", "--scope", "metrics_read", "--format", "json")
    assert [row["site"] for row in _rows(out)] == list(DATADOG_SITES.names)
    assert code == 0


def test_the_table_says_why(run: Run) -> None:
    """Below the table are the reasons for unconfirmed verdicts, in lines of 60 columns."""
    _, out, _ = run("--scope", "api_keys_write metrics_read", "--writes", "none")
    table, _, reasons = out.partition("\nWhy\n")
    assert "confirmed" in table
    assert " ".join(reasons.split()) == (
        "? api_keys_write: 200: the key is valid; nothing was sent, because you did not ask for "
        "writes"
    )
    assert max(map(len, reasons.splitlines())) <= 60
    assert "Why" not in run("--scope", "metrics_read")[1]


def test_every_scope(run: Run) -> None:
    """Without a choice of scopes there is one row for each scope of the catalogue on each site."""
    code, out, _ = run("--site", "us1", "--site", "us1-fed", "--format", "json")
    rows = _rows(out)
    asked = [(site, scope) for site in ("us1", "us1-fed") for scope in catalogue().scopes]
    assert [(row["site"], row["scope"]) for row in rows] == asked
    assert all(row.keys() >= FIELDS for row in rows)
    assert {row["verdict"] for row in rows} == {
        "confirmed",
        "let_through",
        "no_operation",
        "inconclusive",
    }
    assert code == 0


def test_one_json_document_and_nothing_else(run: Run) -> None:
    """Progress goes to stderr, so that stdout can be piped."""
    code, out, err = run("--scope", "metrics_read", "--format", "json")
    (row,) = _rows(out)
    assert (row["verdict"], row["status"], row["path"]) == ("confirmed", 200, "/api/v2/metrics")
    assert "1 of 1" in err
    assert code == 0


def test_csv_has_the_same_rows(run: Run) -> None:
    """CSV has a head and one line for each row."""
    code, out, _ = run("--scope", "metrics_read", "mcp_read", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["scope"], row["verdict"]) for row in rows] == [
        ("metrics_read", "confirmed"),
        ("mcp_read", "no_operation"),
    ]
    assert code == 0


def test_table_names_what_is_not_a_yes(run: Run) -> None:
    """The table groups scopes by area and says each verdict in a word."""
    code, out, _ = run("--scope", "metrics_read", "--scope", "dashboards_write")
    assert "Dashboards" in out
    assert "let through" in out
    assert code == 0


def test_a_client_file_brings_its_own_scopes(run: Run) -> None:
    """With a partner's file its scopes are probed, and no others."""
    code, out, _ = run("--client", str(DATA / "acme_sensors.json"), "--format", "json")
    asked = json.loads((DATA / "acme_sensors.json").read_text("utf-8"))["integration"]["scopes"]
    assert [row["scope"] for row in _rows(out)] == asked
    assert code == 0


def test_a_scope_that_is_not_granted_exits_with_1(run: Run) -> None:
    """A client that lacks a scope is refused, and that is a finding."""
    code, out, _ = run(
        "--client", str(DATA / "reader_client.json"), "--scope", "usage_read", "--format", "json"
    )
    (row,) = _rows(out)
    assert row["verdict"] == "refused"
    assert "not granted" in row["evidence"]
    assert code == 1


def test_writes_none_sends_no_write(run: Run) -> None:
    """Without writes, a scope that only edits is not tried, and the row says so."""
    code, out, _ = run(
        "--scope", "dashboards_write", "metrics_read", "--writes", "none", "--format", "json"
    )
    assert [row["verdict"] for row in _rows(out)] == ["not_tried", "confirmed"]
    assert code == 0


def test_round_trips_leave_nothing(run: Run) -> None:
    """On request, an object is created, read, changed and deleted."""
    code, out, _ = run("--scope", "dashboards_write", "--writes", "round-trip", "--format", "json")
    (row,) = _rows(out)
    assert row["verdict"] == "confirmed"
    assert row["evidence"] == "created 200, read 200, change 200, deleted 200"
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--site", "mars"], "'mars' is not a Datadog site"),
        (["--client", "nowhere.json"], "'nowhere.json' cannot be read"),
        (["--mode", "live"], "missing_client_id"),
    ],
)
def test_bad_input_exits_with_2(run: Run, arguments: list[str], words: str) -> None:
    """One clear line on stderr, nothing on stdout."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]


def test_it_runs_as_a_command() -> None:
    """A separate process prints the same JSON, without a traceback."""
    command = [sys.executable, "-m", "ddoauth_kit", "probe", "--scope", "metrics_read"]
    done = subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=True, timeout=60
    )
    assert [row["verdict"] for row in json.loads(done.stdout)] == ["confirmed"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("given", ["metric_read", "Metrics_Read", "metrics-read", "metrics_reads"])
def test_a_misspelt_scope_is_bad_input(run: Run, given: str) -> None:
    """Nothing is probed, and the intended name is suggested."""
    code, out, err = run("--scope", given)
    assert (code, out) == (2, "")
    assert "[unknown_scope]" in err
    assert "Did you mean metrics_read" in err


@pytest.mark.parametrize(
    "given",
    [
        ["metrics_read,monitors_read"],
        ["metrics_read ,", " monitors_read"],
        ["metrics_read; monitors_read,metrics_read"],
    ],
)
def test_commas_and_blanks_separate_scopes(run: Run, given: list[str]) -> None:
    """However they are typed, two scopes are two rows."""
    code, out, _ = run("--scope", *given, "--format", "json")
    assert [row["scope"] for row in _rows(out)] == ["metrics_read", "monitors_read"]
    assert code == 0


def test_no_scope_at_all_is_bad_input(run: Run) -> None:
    """A lone comma names no scopes, and that is not a success."""
    assert run("--scope", " , ")[0] == 2


def test_an_unknown_scope_of_a_client_file_is_warned_of_twice(run: Run, tmp_path: Path) -> None:
    """Before the run and with its result, because the file may be newer than the catalogue."""
    path = tmp_path / "oauth_clients.json"
    text = (DATA / "reader_client.json").read_text("utf-8")
    content = json.loads(text)
    content["integration"]["scopes"] = ["metrics_read", "metric_read"]
    path.write_text(json.dumps(content), "utf-8")
    _, out, err = run("--client", str(path))
    assert err.count("Did you mean metrics_read") == 2
    assert "1 scope not known" in out.splitlines()[0]
