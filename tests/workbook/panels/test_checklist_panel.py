"""Ticks are restored next time, and the panel never claims that falsely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.workbook.own_app.creation_steps import CREATION
from ddoauth_kit.workbook.panels import ChecklistPanel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a config folder that does not exist yet."""
    folder = tmp_path / "config"
    monkeypatch.setenv("DDOAUTH_CONFIG_FOLDER", str(folder))
    return folder


def test_ticks_survive_a_restart_but_not_binder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new panel has the ticks of the old one; on Binder nothing is written."""
    ChecklistPanel("app").panel.children[1].value = True
    assert ChecklistPanel("app").done == (2,)
    assert ChecklistPanel("listing").done == ()
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.7")
    ChecklistPanel("eu").panel.children[1].value = True
    assert len(list(folder.iterdir())) == 1


@pytest.mark.usefixtures("folder")
def test_two_panels_of_a_list_keep_each_others_ticks() -> None:
    """A lesson that is run twice shows two; a tick in one is not lost by a tick in the other."""
    first, second = ChecklistPanel("app"), ChecklistPanel("app")
    first.panel.children[0].value = True
    second.panel.children[1].value = True
    assert ChecklistPanel("app").done == (1, 2)
    first.panel.children[0].value = False
    assert ChecklistPanel("app").done == (2,)


@pytest.mark.parametrize("path", CREATION)
def test_each_box_says_what_to_do_and_to_look_out_for(path: str) -> None:
    """Its label has both, in the words of the text form."""
    panel = ChecklistPanel(path)
    labels = [box.description for box in panel._boxes]
    for number, (label, step) in enumerate(zip(labels, CREATION[path], strict=True), 1):
        assert label.startswith(f"{number}. {step.do}")
        assert step.note in label
        assert step.note in repr(panel)


@pytest.mark.parametrize("content", ["", "{", '{"a": 1}', "[1]", "\udcff"])
def test_a_broken_file_is_named_until_a_tick_replaces_it(folder: Path, content: str) -> None:
    """The list starts empty and says why; the next tick is stored as usual."""
    folder.mkdir()
    file = folder / "ticks-app.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    panel = ChecklistPanel("app")
    assert panel.done == ()
    assert "does not contain a list of ticks" in panel.status.value
    panel.panel.children[0].value = True
    assert "does not contain a list of ticks" not in panel.status.value
    assert "1 of 9 done" in panel.status.value
    assert ChecklistPanel("app").done == (1,)


def test_nothing_ticked_is_nothing_broken(folder: Path) -> None:
    """A list whose last tick was removed starts empty without a warning."""
    box = ChecklistPanel("app").panel.children[0]
    box.value = True
    box.value = False
    assert (folder / "ticks-app.json").exists()
    assert "does not contain a list of ticks" not in ChecklistPanel("app").status.value


def test_ticks_that_cannot_be_written_are_not_said_to_be_in_the_file(folder: Path) -> None:
    """The status line says where they are instead: in this kernel."""
    panel = ChecklistPanel("app")
    assert f"saved in {folder}" in panel.status.value
    folder.write_text("a file where the folder should be")
    panel.panel.children[0].value = True
    assert panel.done == (1,)
    assert f"saved in {folder}" not in panel.status.value
    assert "1 of 9 done; saved in this kernel" in panel.status.value
