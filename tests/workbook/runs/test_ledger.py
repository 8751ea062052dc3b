"""A ledger keeps finished results through a crash, but only for the same settings and files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import notebook_file

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.runs.collect import result
from ddoauth_kit.workbook.runs.ledger import Ledger
from ddoauth_kit.workbook.runs.run_matrix import RunSettings, matrix

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.workbook.runs.run_matrix import Case

SETTINGS = RunSettings()


def _cases(folder: Path) -> list[Case]:
    return matrix([notebook_file(folder, "a")], sites=["us1", "eu1", "us3"])


def _noted(folder: Path, cases: list[Case]) -> Ledger:
    """Note one that passed, one that failed, and nothing of the third."""
    ledger = Ledger(folder, settings=SETTINGS)
    for case, error in zip(cases[:2], ("", "ValueError: no"), strict=True):
        (folder / f"{case.name}.ipynb").touch()
        ledger.add(result(case, error=error, seconds=1.0))
    return ledger


def test_only_what_passed_is_kept(tmp_path: Path) -> None:
    """A failed case and a missing one are to be run again."""
    cases = _cases(tmp_path)
    runs = _noted(tmp_path, cases).runs(cases)
    resumed = Ledger(tmp_path, settings=SETTINGS, resume=True)
    assert [resumed.passed(case) for case in cases] == [True, False, False]
    assert resumed.runs(cases) == runs
    assert [Ledger(tmp_path, settings=SETTINGS).passed(case) for case in cases] == [False] * 3


def test_a_torn_line_is_a_missing_result(tmp_path: Path) -> None:
    """A last line truncated by a crash does not stop the next run."""
    cases = _cases(tmp_path)
    _noted(tmp_path, cases)
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    resumed = Ledger(tmp_path, settings=SETTINGS, resume=True)
    assert [run.site for run in resumed.runs(cases)] == ["us1"]


def test_changed_files_and_lost_outputs_run_again(tmp_path: Path) -> None:
    """A notebook that was edited, or whose output was deleted, has no result."""
    cases = _cases(tmp_path)
    _noted(tmp_path, cases)
    (tmp_path / "a.us1.ipynb").unlink()
    assert not Ledger(tmp_path, settings=SETTINGS, resume=True).passed(cases[0])
    (tmp_path / "a.us1.ipynb").touch()
    notebook_file(tmp_path, "a", "print('changed')")
    assert not Ledger(tmp_path, settings=SETTINGS, resume=True).passed(cases[0])


@pytest.mark.parametrize("head", ["", "torn {", "[]"])
def test_other_settings_are_refused(head: str, tmp_path: Path) -> None:
    """Another mode, another `writes`, or a file of something else."""
    _noted(tmp_path, _cases(tmp_path))
    for settings in (replace(SETTINGS, mode="live"), replace(SETTINGS, writes=True)):
        with pytest.raises(InputError) as caught:
            Ledger(tmp_path, settings=settings, resume=True)
        assert caught.value.code == "other_settings"
    (tmp_path / "ledger.jsonl").write_text(head, "utf-8")
    with pytest.raises(InputError):
        Ledger(tmp_path, settings=SETTINGS, resume=True)
