"""`ddoauth run` says in the terminal what a shell can do about a notebook's error."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from support.builders import notebook_file

from ddoauth_kit.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ALONE = """
from ddoauth_kit.errors import InputError
raise InputError("no_person", "Nobody can paste the redirect URL here.")
"""


def test_an_error_and_the_next_step_are_for_a_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code is explained by a command, and a run that needs a person is not run again."""
    notebook = notebook_file(tmp_path, "01_alone", ALONE)
    assert main(["run", str(notebook), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "[no_person] Nobody can paste" in said
    assert "More: ddoauth explain no_person." in said
    assert "explain(" not in said
    assert said.splitlines()[-1] == "Next: ddoauth lab"


def test_the_next_command_continues_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typed unchanged, it runs the failed cases on the same site, even if the path has a space."""
    notebook = notebook_file(
        tmp_path, "own notes", f"1 / len(open({str(tmp_path / 'n')!r}).read())"
    )
    (tmp_path / "n").write_text("")
    out = tmp_path / "out"
    line = ["run", str(notebook), "--site", "eu1", "--out", str(out)]
    assert main(line) == 1
    following = capsys.readouterr().out.splitlines()[-1].removeprefix("Next: ddoauth ")
    (tmp_path / "n").write_text("mended")
    assert main(shlex.split(following)) == 0
    (run,) = json.loads((out / "summary.json").read_text("utf-8"))["runs"]
    assert (run["site"], run["status"]) == ("eu1", "passed")


def test_the_help_of_login_says_which_lessons_need_a_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stored grant is enough for some lessons only, and the help names them."""
    assert main(["help", "login"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the lessons from 04 on work without a person; lessons 01 to 03 authorize again" in said
