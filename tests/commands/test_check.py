"""`ddoauth check` prints findings, JSON or a patch, and exits with 1 only for a must."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.folders import CLEAN, CLIENT, FILES, MANIFEST, README, contents, cut, folder, git, swap
from support.places import ROOT
from support.terminals import typed

if TYPE_CHECKING:
    from pathlib import Path

MUST = cut(MANIFEST, '    "unins', '    "support"')
SHOULD = cut(README, "Once this", "\n")


def _check(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a user would."""
    command = [sys.executable, "-m", "ddoauth_kit", "check", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, check=False, timeout=120, env=env)


def _typed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in this process."""
    return typed("check", *map(str, arguments))


def test_clean_folder_exits_with_0() -> None:
    """A folder in order gets its counts."""
    done = _check(CLEAN)
    assert done.returncode == 0
    assert done.stdout.startswith(b"0 must, 0 should, 0 advice in ")


def test_should_exits_with_0_and_must_with_1(tmp_path: Path) -> None:
    """A table has a line for each finding and one for its fix; only a must fails."""
    done = _typed(folder(tmp_path / "should", SHOULD))
    assert done.returncode == 0
    assert re.search(
        r"^should  README\.md:22 +The section does not say .*\[readme-revoked\]$",
        done.stdout,
        re.MULTILINE,
    )
    done = _typed(folder(tmp_path / "must", MUST, SHOULD))
    assert done.returncode == 1
    assert "1 must, 1 should, 0 advice" in done.stdout
    assert "fixes 2 of them" in done.stdout
    assert done.stdout.count("Fix: ") == 2


def test_json_is_all_that_stdout_has(tmp_path: Path) -> None:
    """`--format json` prints one document, notes go to stderr as well."""
    done = _typed(folder(tmp_path, MUST), "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["passed"] is False
    assert report["patch"].startswith("diff --git a/manifest.json")
    assert done.stderr == f"note: {report['notes'][0]}\n"


def test_diff_is_byte_exact(tmp_path: Path) -> None:
    """Output of `--format diff` is accepted by git, even if the terminal supports only ASCII."""
    crlf = swap(README, "greenhouses to", "gr\u00fcn to")
    place = folder(tmp_path, MUST, SHOULD, crlf)
    for name in FILES:
        (place / name).write_bytes((place / name).read_bytes().replace(b"\n", b"\r\n"))
    before = contents(place)
    done = _check(place, "--format", "diff", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 1
    assert contents(place) == before
    git(place, "apply", "-", stdin=done.stdout)
    assert _typed(place).returncode == 0
    assert _typed(place, "--format", "diff").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "PATH"),
        (["nowhere"], "'nowhere' does not exist"),
        ([str(CLEAN / README)], "is not a folder"),
        ([str(CLEAN.parent)], "has neither"),
        ([str(CLEAN), "--base", "gone"], "Git doesn't know a commit 'gone'"),
        ([str(CLEAN), "--earlier", "gone"], "'gone' cannot be read"),
        ([str(CLEAN), "--base", "a", "--earlier", "b"], "not allowed with"),
        ([str(CLEAN), "--probes", "gone"], "'gone' cannot be read"),
        ([str(CLEAN), "--format", "xml"], "invalid choice"),
    ],
)
def test_bad_input_exits_with_2(arguments: list[str], words: str) -> None:
    """Bad usage and bad input end with one clear line on stderr."""
    done = _typed(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_probes_and_earlier_are_taken(tmp_path: Path) -> None:
    """The probe command's output and an earlier manifest lead to their findings."""
    probes = tmp_path / "probes.json"
    rows = [
        {"site": "us1", "scope": scope, "verdict": verdict}
        for scope, verdict in (("api_keys_write", "confirmed"), ("events_read", "refused"))
    ]
    probes.write_text(json.dumps(rows), "utf-8")
    earlier = tmp_path / MANIFEST
    earlier.write_text('{"app_uuid": "0193da66-1a4a-7d09-b520-469edb80cf24"}', "utf-8")
    done = _typed(CLEAN, "--probes", probes, "--earlier", earlier, "--format", "json")
    found = [each["rule"] for each in json.loads(done.stdout)["findings"]]
    assert found == ["manifest-app-uuid-changed", "oauth-scope-refused"]


def test_no_secret_is_printed(tmp_path: Path) -> None:
    """No output contains a secret from the file or from a URL."""
    uri = "https://canary:canary@acme.com/c?client_secret=canary#canary"
    place = folder(
        tmp_path,
        swap(CLIENT, "https://login.acme-sensors.com/datadog/callback", uri),
        swap(CLIENT, '"name"', '"client_secret": "canary", "name"'),
        swap(CLIENT, "https://app.acme-sensors.com/datadog/", "http://canary@acme.com/?canary="),
    )
    for form in ("table", "json", "diff"):
        done = _typed(place, "--format", form)
        assert done.returncode == 1
        assert "canary" not in done.stdout + done.stderr


def test_odd_name_of_the_client_file(tmp_path: Path) -> None:
    """A manifest may name any file of the folder; its name cannot steer a terminal."""
    name = "assets/\u001b[2J\n\u2192.json"
    place = folder(tmp_path, swap(MANIFEST, CLIENT, json.dumps(name)[1:-1]))
    (place / CLIENT).rename(place / name)
    swap(name, "events_read", "evnts_read")(place)
    done = _check(place, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert b"'assets/\\x1b[2J\\n\\u2192.json':12" in done.stdout
    assert b"\x1b" not in done.stdout
    (place / name).write_text("{", "utf-8")
    assert _typed(place).stdout.count("\n") == 3


def test_names_outside_ascii(tmp_path: Path) -> None:
    """Titles, branches and folders of any name can be printed even if only ASCII is possible."""
    place = folder(tmp_path / "caf\u00e9", SHOULD, cut(README, "Additionally", "## Data"))
    swap(MANIFEST, '"Acme Sensors",', '"Caf\u00e9",')(place)
    git(place, "init", "--quiet", "--initial-branch=caf\u00e9")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "--message", "Add")
    swap(MANIFEST, '"3b7e', '"4b7e')(place)
    earlier = tmp_path / "fr\u00fcher.json"
    earlier.write_bytes((CLEAN / MANIFEST).read_bytes())
    for option in (("--base", "caf\u00e9"), ("--earlier", earlier)):
        done = _check(place, *option, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
        assert done.returncode == 1
        assert done.stderr == b""
        assert done.stdout.count(b"Fix: ") == 3


def test_needs_no_workbook(tmp_path: Path) -> None:
    """The check runs without pandas and Jupyter; what it lacks otherwise is named."""
    code = (
        "import sys\n"
        "for name in sys.argv[1].split(): sys.modules[name] = None\n"
        "from ddoauth_kit.cli import main\n"
        "sys.exit(main(['check', sys.argv[2]]))"
    )
    for blocked, expected in (("pandas papermill starlette uvicorn", 0), ("markdown_it", 2)):
        done = subprocess.run(
            [sys.executable, "-c", code, blocked, str(CLEAN)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stderr
        assert "Traceback" not in done.stderr


def test_hook_for_pre_commit() -> None:
    """The hook's entry is a command that exists, and its files are those that are checked."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    hook = dict(re.findall(r"^(?:- |  )(\w+): (.*)$", text, re.MULTILINE))
    assert hook["entry"] == "ddoauth check"
    assert hook["pass_filenames"] == "false"
    pattern = re.compile(hook["files"])
    assert all(pattern.search(f"acme/{name}") for name in FILES)
    assert not pattern.search("acme/metadata.csv")
    requirement = re.search(
        r'publishing = \["(.*)"\]', (ROOT / "pyproject.toml").read_text("utf-8")
    )
    assert requirement is not None
    assert hook["additional_dependencies"] == f'["{requirement[1]}"]'
