"""Inputs that are like those that once failed, three of each kind, typed at the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CLIENT = {
    "integration": {
        "id": "5f0c9a3e-7d41-4c7f-9a56-0d6f2b1c8e90",
        "name": "\u0410\u043a\u043c\u0435",
        "redirect_uris": ["https://acme.example.com/cb"],
        "onboarding_url": "https://acme.example.com/",
        "scopes": ["metrics_read"],
    }
}
GOOD = (
    "DDOAUTH_CLIENT_ID=x DDOAUTH_CLIENT_SECRET=y DDOAUTH_REDIRECT_URIS=https://acme.example.com/cb"
)
DOCTOR = "$D doctor --offline --format json"
ASCII = "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
LONG = "t" * 120


@dataclass(frozen=True)
class Typed:
    """Hold a line for a shell, where $D is the command, and what has to come of it."""

    line: str
    code: int
    words: str


KINDS: dict[str, list[Typed]] = {
    "a scope that nobody knows": [
        Typed("$D probe --scope metricsread", 2, "Did you mean metrics_read"),
        Typed("$D probe --scope 'monitors_read ,log_read_data'", 2, "Did you mean logs_read_data"),
        Typed("$D probe --scope ''", 2, "[unknown_scope]"),
    ],
    "an empty variable": [
        Typed(f"{GOOD} DDOAUTH_CLIENT_ID_US1= {DOCTOR}", 0, "private client x"),
        Typed(f"DDOAUTH_CLIENT_ID= DDOAUTH_CLIENT_KIND=' ' {DOCTOR}", 0, "none in the environment"),
        Typed(f"DDOAUTH_CONSENT= DDOAUTH_CLIENT_FILE= {GOOD} {DOCTOR}", 0, "private client x"),
    ],
    "quotes, blanks and commas in a variable": [
        Typed(f"DDOAUTH_CLIENT_ID='\"x\"' {DOCTOR}", 1, "a quotation mark"),
        Typed(f"DDOAUTH_CLIENT_ID='x y' {DOCTOR}", 1, "DDOAUTH_CLIENT_ID contains a space"),
        Typed(f"{GOOD} DDOAUTH_SCOPES='a;b' {DOCTOR}", 1, "DDOAUTH_SCOPES contains a semicolon"),
    ],
    "a folder that no shell expanded": [
        Typed(
            "DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER='$HOME/s' $D store", 2, "not an absolute path"
        ),
        Typed("DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER='~no-one/s' $D store", 2, "not an absolute"),
        Typed(f"DDOAUTH_CONFIG_FOLDER='%APPDATA%/s' {DOCTOR}", 1, "is not an absolute path"),
    ],
    "a setting that the commands refuse": [
        Typed(f"{GOOD} DDOAUTH_REDIRECT_URIS=http://127.0.0.1:65536/cb {DOCTOR}", 1, "not a valid"),
        Typed(f"{GOOD} DDOAUTH_REDIRECT_URIS=https://localhost:8484/cb {DOCTOR}", 1, "leads to"),
        Typed(f"{GOOD} DDOAUTH_CLIENT_KIND=PRIVATE {DOCTOR}", 1, "DDOAUTH_CLIENT_KIND"),
    ],
    "a client file of another encoding": [
        Typed("$D probe --client bom.json --format csv", 0, "metrics_read"),
        Typed("$D probe --client utf-16.json --format csv", 0, "metrics_read"),
        Typed("$D probe --client cp1251.json", 2, "[bad_client_file]"),
    ],
    "a stream that is closed or poor in letters": [
        Typed(f"PYTHONIOENCODING=cp1252 {DOCTOR} --client bom.json", 0, "u0410"),
        Typed(f"{ASCII} {DOCTOR} --client bom.json <&- 2>&-", 0, "findings"),
        Typed("$D explain wrong_state >/dev/full", 1, "[output_not_written]"),
    ],
    "a notebook of another language": [
        Typed("$D run bash.ipynb --out o1", 2, "[other_language]"),
        Typed("$D run ok.ipynb julia.ipynb --out o2", 2, "[other_language]"),
        Typed("$D run r.ipynb --out o3 --format json", 2, "[other_language]"),
    ],
    "names in other letters where files have ASCII names": [
        Typed(f"{ASCII} $D run \u0416.ipynb ok.ipynb --out o4 --format json", 0, "0416"),
        Typed(f"{ASCII} $D run ok.ipynb --out \u0436 --client bom.json", 0, "1 "),
        Typed(f"{ASCII} TMPDIR=$PWD/\u0416 $D run ok.ipynb --out o6", 0, "passed"),
    ],
    "a temporary folder that sockets do not like": [
        Typed(f"TMPDIR=$PWD/{LONG} $D run ok.ipynb --out o7", 0, "passed"),
        Typed(f"TMPDIR=$PWD/{LONG} {DOCTOR}", 0, "too long for sockets"),
        Typed("TMPDIR=/not/there $D run ok.ipynb --out o9", 0, "passed"),
    ],
    "a scheduler that does not exist": [
        Typed("$D run ok.ipynb --executor tcp://127.0.0.1:1 --out o10", 2, "[no_executor]"),
        Typed("$D run ok.ipynb --executor ucx://127.0.0.1:1 --out o11", 2, "[no_executor]"),
        Typed("$D run ok.ipynb --executor nobody --out o12", 2, "[no_executor]"),
    ],
    "nobody at the terminal": [
        Typed("$D login </dev/null", 2, "[no_person]"),
        Typed("DDOAUTH_CONSENT=PASTE $D login </dev/null", 2, "[no_person]"),
        Typed("BROWSER=w3m $D login <&-", 2, "[no_person]"),
    ],
}


def _notebook(code: str, **metadata: object) -> str:
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "source": code}
    cells = [{**cell, "execution_count": None}]
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the files that the lines name."""
    folder = tmp_path_factory.mktemp("n")
    text = json.dumps(CLIENT, ensure_ascii=False)
    (folder / "bom.json").write_text(text, "utf-8-sig")
    (folder / "utf-16.json").write_text(text, "utf-16")
    (folder / "cp1251.json").write_text(text, "cp1251")
    for name in ("ok", "\u0416"):
        (folder / f"{name}.ipynb").write_text(_notebook("print(1)"), "utf-8")
    for name, language in (("bash", "bash"), ("julia", "julia"), ("r", "R")):
        spec = {"name": name, "display_name": name, "language": language}
        (folder / f"{name}.ipynb").write_text(_notebook("x", kernelspec=spec), "utf-8")
    for name in (LONG, "\u0416"):
        (folder / name).mkdir()
    return folder


def _typed(line: str, folder: Path) -> tuple[int, str]:
    """Type a line in a shell that has no setting of this machine's; return code and output."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("DDOAUTH_", "DD_"))}
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env={
            **plain,
            "D": f"{sys.executable} -m ddoauth_kit",
            "DDOAUTH_STORE": "memory",
            "DDOAUTH_CONFIG_FOLDER": str(folder / "config"),
            "HOME": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


@pytest.mark.skipif(os.name != "posix", reason="the lines are for a POSIX shell")
@pytest.mark.parametrize("kind", KINDS)
def test_the_three_neighbours_of_a_kind(kind: str, folder: Path) -> None:
    """Each has the exit code and the words that say what it is, and no traceback."""
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda typed: _typed(typed.line, folder), KINDS[kind]))
    for typed, (code, text) in zip(KINDS[kind], found, strict=True):
        assert (code, typed.words in text) == (typed.code, True), f"{typed.line}\n{text}"
        assert "Traceback" not in text, typed.line
    assert not {"~", "$HOME", "~no-one", "%APPDATA%"} & {path.name for path in folder.iterdir()}
