"""A panel does what a cell can do with the same method, and says the same in text."""

from __future__ import annotations

import pytest
from support.reports import full_report

from ddoauth_kit.workbook.panels import FilterableMatrix
from ddoauth_kit.workbook.verdicts import ProbeTables, VerdictMatrix, verdict_matrix

MATRIX = verdict_matrix(full_report())


@pytest.fixture
def panel() -> FilterableMatrix:
    """Return a panel with its initial fields."""
    return FilterableMatrix(MATRIX)


def _shown(panel: FilterableMatrix) -> str:
    return str(panel.panel.children[1].value)


def _field(panel: FilterableMatrix, label: str) -> object:
    return next(field for field in panel.panel.children[0].children if field.description == label)


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("Scope or area", "monitor read", MATRIX.where(text="monitor read")),
        ("Verdict", "not_oauth", MATRIX.where(verdict="not_oauth")),
        ("Area", "Security Monitoring", MATRIX.where(area="Security Monitoring")),
        ("Only problems", True, MATRIX.where(problems=True)),
    ],
)
def test_a_field_asks_where(
    panel: FilterableMatrix, label: str, value: object, expected: VerdictMatrix
) -> None:
    """Each labelled field filters as its argument of `where` does, and can be reset."""
    field = _field(panel, label)
    before = field.value  # type: ignore[attr-defined]
    field.value = value  # type: ignore[attr-defined]
    assert _shown(panel) == expected.html() != MATRIX.html()
    field.value = before  # type: ignore[attr-defined]
    assert _shown(panel) == MATRIX.html()


def test_fields_work_together(panel: FilterableMatrix) -> None:
    """The filter in one field still applies when another field changes."""
    _field(panel, "Scope or area").value = "write"  # type: ignore[attr-defined]
    _field(panel, "Only problems").value = True  # type: ignore[attr-defined]
    assert _shown(panel) == MATRIX.where(text="write", problems=True).html()


def test_it_says_the_same_without_a_kernel(panel: FilterableMatrix) -> None:
    """Next to the panel, an output contains the whole matrix as text and as HTML."""
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == repr(panel) == MATRIX.text()
    assert bundle["text/html"] == MATRIX.html()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_showing_it_twice_makes_one_panel() -> None:
    """A second display is a second view of the same fields."""
    panel = FilterableMatrix(ProbeTables(full_report()).matrix)
    views = [panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"] for _ in "ab"]
    assert views[0] == views[1]
