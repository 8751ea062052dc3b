"""The engine `ddoauth` follows papermill's contract, and needs no installed kernel."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError
from support.builders import notebook_file

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.workbook.runs import engine
from ddoauth_kit.workbook.runs.engine import DdoauthEngine, MaskingManager

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def registered() -> None:
    """Register the engine even if the package was installed before it had one."""
    from papermill.engines import papermill_engines

    papermill_engines.register("ddoauth", DdoauthEngine)


def _execute(source: Path, output: Path, **options: Any) -> Any:
    """Run papermill's own function with the engine."""
    return papermill.execute_notebook(
        source, output, engine_name="ddoauth", progress_bar=False, **options
    )


def test_papermill_finds_the_engine() -> None:
    """It has an entry point; tests/workbook/runs/test_canaries.py runs papermill's command."""
    assert [
        point.load() for point in entry_points(group="papermill.engine") if point.name == "ddoauth"
    ] == [DdoauthEngine]


def test_the_same_as_papermills_own_engine(tmp_path: Path) -> None:
    """Sources, outputs, execution counts, tags and parameters are what papermill's engine makes."""
    source = notebook_file(tmp_path, "works", "print(SITE)", "1 + 1", "{'a': SITE}")
    ours = _execute(source, tmp_path / "ours.ipynb", parameters={"SITE": "eu1"})
    theirs = papermill.execute_notebook(
        source, tmp_path / "theirs.ipynb", parameters={"SITE": "eu1"}, progress_bar=False
    )

    def told(notebook: Any) -> list[Any]:
        return [(c.source, c.outputs, c.execution_count, c.metadata.tags) for c in notebook.cells]

    assert told(ours) == told(theirs)
    assert ours.metadata.papermill.parameters == theirs.metadata.papermill.parameters
    assert set(ours.metadata.papermill) == set(theirs.metadata.papermill)


def test_a_failure_is_papermills(tmp_path: Path) -> None:
    """A failing cell raises papermill's error and marks the file, both without the secret."""
    secret = "sandbox-secret-" + "0123456789" * 4
    source = notebook_file(tmp_path, "fails", f"raise ValueError({secret!r})")
    with pytest.raises(PapermillExecutionError, match="<sandbox_secret>") as caught:
        _execute(source, tmp_path / "out.ipynb")
    text = (tmp_path / "out.ipynb").read_text("utf-8")
    assert secret not in text + str(caught.value)
    assert "An Exception was encountered" in text


def test_a_timeout_does_not_quote_the_cell(tmp_path: Path) -> None:
    """A cell that takes too long is quoted by nbclient; the secret in it is masked."""
    secret = "sandbox-secret-" + "0123456789" * 4
    source = notebook_file(tmp_path, "slow", f"import time; time.sleep(30); A = {secret!r}")
    with pytest.raises(TimeoutError) as caught:
        _execute(source, tmp_path / "out.ipynb", execution_timeout=2)
    assert "time.sleep(30)" in str(caught.value)
    assert secret not in str(caught.value) + (tmp_path / "out.ipynb").read_text("utf-8")


def test_the_kernel_is_this_environments(tmp_path: Path) -> None:
    """The notebook's own kernel is not needed, and neither is an installed one."""
    source = notebook_file(tmp_path, "works", "import sys; print(sys.executable)")
    notebook = nbformat.read(source, as_version=4)
    notebook.metadata.kernelspec = {"name": "nowhere", "display_name": "?", "language": "python"}
    nbformat.write(notebook, source)
    executed = _execute(source, tmp_path / "out.ipynb", parameters={"SITE": "eu1"})
    assert executed.cells[-1].outputs[0].text.strip() == sys.executable


def test_secret_parameters_are_refused(tmp_path: Path) -> None:
    """A parameter with a secret ends the run before its output exists."""
    source = notebook_file(tmp_path, "works", "print(SITE)")
    with pytest.raises(InputError, match="'SITE' has a value that looks like a secret"):
        _execute(source, tmp_path / "out.ipynb", parameters={"SITE": "0123456789abcdef" * 2})
    assert not (tmp_path / "out.ipynb").exists()


def test_each_write_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Papermill writes before, during and after execution; no version contains the secret."""
    monkeypatch.setenv("DD_API_KEY", "canary-api-key-4711")
    written: list[str] = []
    write = engine.write_ipynb

    def record(notebook: Any, path: str) -> None:
        written.append(nbformat.writes(notebook))
        write(notebook, path)

    monkeypatch.setattr(engine, "write_ipynb", record)
    source = notebook_file(tmp_path, "tells", "import os", "print(os.environ['DD_API_KEY'])")
    _execute(source, tmp_path / "out.ipynb")
    assert len(written) > 6
    assert not [text for text in written if "canary-api-key-4711" in text]
    assert "<DD_API_KEY>" in written[-1]


def test_widget_ids_stay(tmp_path: Path) -> None:
    """An id of a widget looks like an API key and is none: masked, the widget would be lost."""
    source = notebook_file(tmp_path, "panel", "import ipywidgets\nipywidgets.IntSlider(3)")
    executed = _execute(source, tmp_path / "out.ipynb")
    view = executed.cells[-1].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    state = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"].state
    assert view["model_id"] in state
    assert all(len(name) == 32 for name in state)


def test_files_of_output_hold_whole_masked_lines(tmp_path: Path) -> None:
    """Output that papermill copies to a file is masked even if a secret came in two messages."""
    secret = "sandbox-secret-" + "0123456789" * 4
    code = f"for part in ({secret[:20]!r}, {secret[20:]!r}): print(part, end='', flush=True)"
    source = notebook_file(tmp_path, "tells", code, "print()\nprint('end', end='')")
    with (tmp_path / "out.txt").open("w", encoding="utf-8") as file:
        _execute(source, tmp_path / "out.ipynb", stdout_file=file)
    assert (tmp_path / "out.txt").read_text("utf-8") == "<sandbox_secret>\nend"


def test_a_kernel_that_does_not_come_up_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first kernel exits before it responds; the second runs the notebook."""
    flag = tmp_path / "first"
    stub = tmp_path / "ipykernel" / "__init__.py"
    stub.parent.mkdir()
    stub.write_text(
        f"import importlib, os, sys\nflag = {str(flag)!r}\n"
        "if not os.path.exists(flag):\n    open(flag, 'w').close()\n    sys.exit(1)\n"
        f"sys.path.remove({str(tmp_path)!r})\n"
        "del sys.modules['ipykernel']\n"
        "importlib.import_module('ipykernel')\n",
        "utf-8",
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    source = notebook_file(tmp_path, "works", "print(SITE)")
    executed = _execute(source, tmp_path / "out.ipynb")
    assert flag.exists()
    assert executed.cells[-1].outputs[0].text == "us1\n"


def test_a_secret_that_becomes_known_later_is_masked_in_earlier_cells(tmp_path: Path) -> None:
    """Each save masks what is known by then, in cells that changed and in those that did not."""
    made = nbformat.v4.new_output("stream", text="first canary-one-4711, canary-two-4711\n")
    cells = [nbformat.v4.new_code_cell("1", outputs=[made]), nbformat.v4.new_code_cell("2")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {}})
    path, known = tmp_path / "o.ipynb", [Secret("canary-one-4711", label="one")]
    manager = MaskingManager(
        notebook, known=lambda: tuple(known), output_path=str(path), progress_bar=False
    )
    manager.save()
    assert "first <one>, canary-two-4711" in path.read_text("utf-8")
    known.append(Secret("canary-two-4711", label="two"))
    manager.save()
    assert "first <one>, <two>" in path.read_text("utf-8")
    made.text += "canary-one-"
    cells[0].outputs.append(nbformat.v4.new_output("stream", text="4711 again"))
    notebook.metadata["note"] = "canary-two-4711"
    manager.save()
    assert "4711" not in path.read_text("utf-8")
    assert "canary-one-4711" in notebook.cells[0].outputs[0].text


def test_a_manager_without_parameters(tmp_path: Path) -> None:
    """A notebook that got no parameters is masked as well."""
    notebook = nbformat.v4.new_notebook(metadata={"papermill": {}})
    manager = MaskingManager(notebook, output_path=str(tmp_path / "o.ipynb"), progress_bar=False)
    manager.save()
    assert (tmp_path / "o.ipynb").exists()
