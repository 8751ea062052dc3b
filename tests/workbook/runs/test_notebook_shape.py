"""Fields that other programs omit are filled in, and unreadable ones are named."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.runs.notebook_shape import whole_notebook
from ddoauth_kit.workbook.runs.source_notebook import checked_notebook, load_notebook

if TYPE_CHECKING:
    from pathlib import Path

CODE: dict[str, Any] = {
    "cell_type": "code",
    "id": "one",
    "metadata": {"tags": ["parameters"], "papermill": {}},
    "source": "1 + 1",
    "outputs": [],
    "execution_count": None,
}
TEXT: dict[str, Any] = {"cell_type": "markdown", "id": "two", "metadata": {}, "source": ["# a"]}
WHOLE: dict[str, Any] = {
    "cells": [CODE, TEXT],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python"}, "papermill": {}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
NEEDED = {(), ("cells", 0, "cell_type"), ("cells", 1, "cell_type"), ("cells",)}


def _places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) and at else inner
    below = [place for name, part in inner for place in _places(part, (*at, name))]
    return [at, *below]


PLACES = [place for place in _places(WHOLE) if place]
FIELDS = [
    place
    for place in PLACES
    if isinstance(place[-1], str) and place not in NEEDED and place[1:2] != ("kernelspec",)
] + [("metadata", "kernelspec")]


def _with(places: list[tuple[str | int, ...]], value: object) -> dict[str, Any]:
    """Return the notebook with a value at places, or without them for `...`."""
    notebook = copy.deepcopy(WHOLE)
    for *above, name in sorted(places, key=len, reverse=True):
        holder: Any = notebook
        for step in above:
            holder = holder[step]
        if value is ...:
            del holder[name]
        else:
            holder[name] = value
    return notebook


@generated(
    st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True),
    st.sampled_from([None, ...]),
)
def test_a_field_that_is_null_or_missing_is_no_problem(
    tmp_path: Path, places: list[tuple[str | int, ...]], value: object
) -> None:
    """It gets the empty value of the format, and the notebook is valid and loads without a word."""
    whole = whole_notebook(_with(places, value))
    nbformat.validate(whole)  # type: ignore[no-untyped-call]
    path = tmp_path / "own.ipynb"
    path.write_text(json.dumps(_with(places, value)), "utf-8")
    loaded = load_notebook(path)
    assert [cell.cell_type for cell in loaded.cells] == ["code", "markdown"]
    assert loaded.metadata.papermill["parameters"] == {}


@generated(
    st.sampled_from(PLACES), st.sampled_from([3, "x", [3], {"a": 1}, [None], True, 2.5, ["x"]])
)
def test_a_field_of_another_type_is_read_or_named(
    tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    """A notebook either loads, or the error names the field or cell; no library error is raised."""
    path = tmp_path / "own.ipynb"
    path.write_text(json.dumps(_with([place], value)), "utf-8")
    refused: list[InputError] = []
    try:
        load_notebook(path)
    except InputError as error:
        refused.append(error)
    field = next(str(part) for part in reversed(place) if isinstance(part, str))
    for each in refused:
        assert each.code in {"not_a_notebook", "other_language"}
        assert field.rstrip("s") in each.what or "written in" in each.what


@generated(st.lists(st.sampled_from(["a", "b", "cell-1", "cell-2", "", None, 5]), max_size=6))
def test_ids_differ(ids: list[object]) -> None:
    """A cell keeps its id unless an earlier cell has the same one."""
    cells = [{**TEXT, "id": given} for given in ids]
    found = [cell["id"] for cell in whole_notebook({**WHOLE, "cells": cells})["cells"]]
    assert len({*found}) == len(ids)
    for number, given in enumerate(ids):
        if isinstance(given, str) and given and given not in ids[:number]:
            assert found[number] == given


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({**WHOLE, "nbformat": 3}, "only format 4 can be read"),
        ({"worksheets": [], "nbformat": 3}, "only format 4 can be read"),
        ({"worksheets": []}, "`cells` of the notebook is not a list"),
        ({**WHOLE, "cells": [{**CODE, "cell_type": "sql"}]}, "`cell_type` of cell 1 is 'sql'"),
        ({**WHOLE, "cells": [TEXT, {"source": "1"}]}, "`cell_type` of cell 2 is missing"),
        ({**WHOLE, "cells": [CODE, None]}, "cell 2 is not a JSON object"),
        ({**WHOLE, "cells": []}, "has no code cell, so a run would try nothing"),
        ({**WHOLE, "cells": [TEXT]}, "has no code cell, so a run would try nothing"),
    ],
)
def test_a_cell_that_nobody_would_run_is_named(
    tmp_path: Path, content: dict[str, Any], words: str
) -> None:
    """A cell of an unknown type is not skipped in silence, and neither is another format's."""
    path = tmp_path / "own.ipynb"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(InputError) as caught:
        checked_notebook(path)
    assert caught.value.code == "not_a_notebook"
    assert words in caught.value.what
