"""A link in a results folder never redirects a result elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.builders import notebook_file
from support.places import KIT

from ddoauth_kit.cli import main
from ddoauth_kit.result_files import folder_within, without_link, write_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes are of POSIX systems")
NAMES = ("a.txt", "summary.json", "report.html", "caf\u00e9.csv", "x" * 200)
# Modules that write below a folder of their own that nobody else can reach, or without following.
OWN = {
    "config_folder.py": "the draft of a file that is then put in its place",
    "result_files.py": "as above",
    "grading/front/chromium.py": "a temporary folder of its own",
    "grading/front/isolation.py": "as above",
    "grading/front/trust_files.py": "as above",
    "grading/reference_server.py": "the folder of an example's records",
    "grading/settings.py": "a new file, never one that is there",
    "grading/subject.py": "a temporary folder of its own",
    "workbook/lessons/graded_copy.py": "as above",
    "workbook/runs/dask_runner.py": "as above, on a worker",
    "workbook/runs/ledger.py": "a line more of the file that it has just written",
    "workbook/submission/example_folder.py": "a temporary folder of its own",
}


def _planted(path: Path, target: Path) -> dict[str, Path]:
    """Return obstacles in the place of a result, by kind, each created under its own name."""
    made = {kind: path.with_name(f"{kind}-{path.name}"[-250:]) for kind in ("link", "hard", "pipe")}
    made |= {kind: path.with_name(f"{kind}-{path.name}"[-250:]) for kind in ("dangling", "chain")}
    made["link"].symlink_to(target)
    made["dangling"].symlink_to(target.with_name("nothing-there"))
    made["chain"].symlink_to(made["link"])
    made["hard"].hardlink_to(target)
    os.mkfifo(made["pipe"])
    return made


def test_what_is_planted_is_replaced(tmp_path: Path) -> None:
    """25 links, chains and pipes give way to a plain file, and what they led to stays."""
    target, results = tmp_path / "precious", tmp_path / "results"
    target.write_text("precious", "utf-8")
    results.mkdir()
    for name in NAMES:
        for kind, path in _planted(results / name, target).items():
            assert write_text(path, f"{kind}\r\n") == path
            assert path.read_bytes() == f"{kind}\r\n".encode()
            assert not path.is_symlink()
    assert target.read_text("utf-8") == "precious"
    assert not (tmp_path / "nothing-there").exists()
    assert not [path for path in results.iterdir() if path.name.startswith(".")]
    (results / "inner").symlink_to(tmp_path)
    assert not folder_within(results, "inner").is_symlink()
    assert without_link(results / "missing") == results / "missing"


def test_what_fails_leaves_no_draft(tmp_path: Path) -> None:
    """If a folder has the file's name, the folder stays, and nothing else is left."""
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        write_text(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    """A notebook can contain half a character, and its results are still written."""
    assert write_text(tmp_path / "a", "x\ud800").read_text("utf-8") == "x?"


def test_a_run_and_the_skill_follow_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a run or the skill would write, a planted link loses, whether or not it dangles."""
    notebook = notebook_file(tmp_path, "works", "print(SITE)")
    monkeypatch.chdir(tmp_path)
    target, out = tmp_path / "precious", tmp_path / "out"
    (tmp_path / "elsewhere").mkdir()
    out.mkdir()
    target.write_text("precious", "utf-8")
    names = ["summary.json", "report.html", "junit.xml", "ledger.jsonl", "rows.csv"]
    names += ["works.us1.ipynb", "works.us1.html"]
    for number, name in enumerate(names):
        (out / name).symlink_to(target if number % 2 else tmp_path / f"new-{number}")
    (out / "tables").symlink_to(tmp_path / "elsewhere")
    assert main(["run", str(notebook), "--out", str(out)]) == 0
    skill = tmp_path / "skills" / "datadog-oauth" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.symlink_to(tmp_path / "new-skill")
    assert main(["skill", "--out", str(tmp_path / "skills")]) == 0
    assert target.read_text("utf-8") == "precious"
    assert not list(tmp_path.glob("new-*"))
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not [path for path in (*out.rglob("*"), skill) if path.is_symlink()]


def test_every_writer_is_known() -> None:
    """A module that writes files by itself fails here until somebody has looked at it."""
    ways = (".write_text(", ".write_bytes(", '.open("w', '.open("a', '.open("x', "to_csv(")
    found = {
        path.relative_to(KIT).as_posix()
        for path in KIT.rglob("*.py")
        if path.relative_to(KIT).parts[0] not in {"maintenance", "sandbox"}
        if any(way in path.read_text("utf-8") for way in ways)
    }
    assert found == set(OWN)
