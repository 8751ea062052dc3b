"""The matrix is the product of notebooks, sites and clients, under names that stay the same."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import notebook_file
from support.places import TESTS

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.run_matrix import (
    RunClient,
    RunSettings,
    client_of_file,
    digest,
    distinct_file_names,
    matrix,
)

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
    """A file that is not a notebook, or a second one of the same name, stops before any kernel."""
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


@generated(st.lists(st.text(max_size=20), min_size=2, max_size=5))
def test_names_never_become_the_same_file(labels: list[str]) -> None:
    """Clients with any names, in any alphabet, have their own files, labels and links."""
    clients = [RunClient(label, str(number)) for number, label in enumerate(labels)]
    cases = matrix([Path("01_x.ipynb")], sites=["us1", "eu1"], clients=clients)
    assert len({case.name.casefold() for case in cases}) == len(labels) * 2
    assert len({(case.client.label, case.site) for case in cases}) == len(labels) * 2
    assert all(case.name.isascii() and len(case.name) < 200 for case in cases)


@generated(st.lists(st.text(max_size=200), min_size=2, max_size=5, unique=True))
def test_tables_never_become_the_same_file(names: list[str]) -> None:
    """Any table names become files that every system accepts."""
    files = distinct_file_names(names, otherwise="table")
    found = list(files.values())
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in found}) == len(names)
    for name in found:
        assert not set('<>:"/\\|?*\0') & set(name)
        assert name.strip(" .")
        assert len(name.encode()) < 200
        assert name.partition(".")[0].lower() not in {"con", "nul", "aux", "prn", "com1"}


def test_names_that_meet_are_numbered() -> None:
    """Acme, Acme and Acme 2 are three clients with three files."""
    clients = [RunClient("Acme", "a"), RunClient("Acme", "b"), RunClient("Acme 2", "c")]
    cases = matrix([Path("x.ipynb")], sites=["us1"], clients=clients)
    assert [case.name for case in cases] == ["x.us1.acme", "x.us1.acme-2", "x.us1.acme-2-2"]
    assert [case.client.label for case in cases] == ["Acme (1)", "Acme (2)", "Acme 2"]
    assert distinct_file_names(["a/b", "a_b", "A_B"], otherwise="t") == {
        "a/b": "a_b",
        "a_b": "a_b-2",
        "A_B": "A_B-3",
    }


def test_lessons_for_several_sites_stay_on_their_own_in_a_matrix() -> None:
    """Only lessons 05 and 07 get `SITES`, the run's own site, if other runs cover the others."""
    several = matrix(find_notebooks(), sites=["us1", "eu1"])
    given = {
        (c.notebook.stem[:2], c.site): RunSettings().parameters(c).get("SITES") for c in several
    }
    limited = {key: site for key, site in given.items() if site is not None}
    assert limited == {(n, site): site for n in ("05", "07") for site in ("us1", "eu1")}
    alone = matrix(find_notebooks(), sites=["eu1"])
    assert not [case for case in alone if "SITES" in RunSettings().parameters(case)]


def test_a_run_of_one_site_is_not_taken_for_one_of_a_matrix() -> None:
    """`--resume` repeats lesson 05 if it covered other sites than it would now."""
    (alone,) = matrix(find_notebooks(["05"]), sites=["us1"])
    among, _ = matrix(find_notebooks(["05"]), sites=["us1", "eu1"])
    assert alone.name == among.name
    assert digest(alone) != digest(among)
