"""A picture is the same in every run, whatever a machine's settings are."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
from matplotlib.figure import Figure

from ddoauth_kit.workbook.verdicts.svg import Picture, as_svg, drawing

CODE = """
import matplotlib as mpl
mpl.rcParams.update({SETTINGS})
from ddoauth_kit.workbook.verdicts import ProbeTables, report_from_rows
rows = [{{"site": s, "scope": c, "verdict": "refused"}} for s in ("us1", "$eu$") for c in "ab"]
print(ProbeTables(report_from_rows(rows)).picture.svg)
"""
STRANGE = {"font.size": 30, "svg.fonttype": "path", "figure.facecolor": "red", "savefig.dpi": 300}


def _drawn(settings: dict[str, object]) -> str:
    """Draw in a process of its own, as on a machine with other settings."""
    code = CODE.replace("{SETTINGS}", repr(settings)).replace("{{", "{").replace("}}", "}")
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_same_bytes_in_every_process() -> None:
    """Neither hash seeds nor somebody's matplotlibrc change a byte."""
    plain = _drawn({})
    assert plain == _drawn(STRANGE)
    assert "<svg " in plain
    assert ">$eu$<" in plain


def test_what_was_set_before_is_set_again() -> None:
    """Drawing leaves no trace in the settings of the notebook it was called from."""
    before = dict(mpl.rcParams)
    with drawing():
        assert mpl.rcParams["svg.fonttype"] == "none"
    assert dict(mpl.rcParams) == before


def test_title_and_description_are_escaped() -> None:
    """Both are there for those who listen, and markup in them stays text."""
    with drawing():
        svg = as_svg(Figure(figsize=(1, 1)), title="<a>", description="b & c")
    assert "<title>&lt;a&gt;</title><desc>b &amp; c</desc>" in svg
    assert 'role="img"' in svg


def test_a_picture_says_the_same_in_words() -> None:
    """A notebook gets both, and a terminal the words."""
    picture = Picture(svg="<svg/>", text="words")
    assert repr(picture) == "words"
    assert picture._repr_mimebundle_() == {"text/plain": "words", "image/svg+xml": "<svg/>"}
