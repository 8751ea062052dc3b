"""The matrix is the product of notebooks, sites and clients, under names that stay the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.builders import notebook_file
from support.places import TESTS

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.run_matrix import RunClient, client_of_file, digest, matrix

DATA = TESTS / "data"


def test_names_tell_clients_apart_only_where_there_are_several() -> None:
    """With one client a name is notebook and site; with several, each client's is added."""
    notebook = Path("01_x.ipynb")
    assert [case.name for case in matrix([notebook], sites=["us1", "eu1"])] == [
        "01_x.us1",
        "01_x.eu1",
    ]
    clients = [
        RunClient("Acme Sensors", "a"),
        RunClient("acme-sensors", "b"),
        RunClient("...", "c"),
    ]
    several = matrix([notebook], sites=["us1"], clients=clients)
    assert [case.name for case in several] == [
        "01_x.us1.acme-sensors",
        "01_x.us1.acme-sensors-2",
        "01_x.us1.client",
    ]
    assert several[0].title == "01_x on us1 for Acme Sensors"


def test_a_digest_changes_with_notebook_and_client(tmp_path: Path) -> None:
    """A changed notebook, or a changed client file, is noticed."""
    own = notebook_file(tmp_path, "own")
    client = client_of_file(str(DATA / "reader_client.json"))
    plain, with_client = (
        digest(matrix([own], sites=["us1"], clients=[c])[0]) for c in (RunClient(), client)
    )
    own.write_text(own.read_text("utf-8") + " ", "utf-8")
    assert len({plain, with_client, digest(matrix([own], sites=["us1"])[0])}) == 3


def test_notebooks_are_found_by_number_name_and_path(tmp_path: Path) -> None:
    """A lesson can be named in every way that a person would try."""
    first = find_notebooks()[0]
    own = notebook_file(tmp_path, "own")
    assert find_notebooks(["00", first.stem, first.name, str(own)]) == [first, own]
    with pytest.raises(InputError, match="01_the_whole_flow"):
        find_notebooks(["99"])


def test_bad_notebooks_are_refused(tmp_path: Path) -> None:
    """What is no notebook, and a second notebook of the same name, end before any kernel."""
    for text in ("[]", "plain", "{}"):
        path = tmp_path / "strange.ipynb"
        path.write_text(text, "utf-8")
        with pytest.raises(InputError) as caught:
            find_notebooks([str(path)])
        assert caught.value.code == "not_a_notebook"
    (tmp_path / "there").mkdir()
    one, other = (notebook_file(folder, "own") for folder in (tmp_path, tmp_path / "there"))
    with pytest.raises(InputError, match="Two notebooks are called 'own'"):
        find_notebooks([str(one), str(other)])
