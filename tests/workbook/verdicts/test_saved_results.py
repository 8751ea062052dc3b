"""Results are read from wherever somebody has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from support.reports import full_report

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.verdicts import ProbeTables, as_csv, as_json, report_of, verdict_frame

if TYPE_CHECKING:
    from pathlib import Path


def test_every_source_gives_the_same_results(tmp_path: Path) -> None:
    """Report, tables, frame, rows, JSON file, CSV file and pandas' reading of it agree."""
    report = full_report()
    (tmp_path / "a.json").write_text(as_json(report), "utf-8")
    (tmp_path / "a.csv").write_text(as_csv(report), "utf-8", newline="")
    sources = [
        report,
        ProbeTables(report),
        verdict_frame(report),
        [result.as_dict() for result in report.results],
        tmp_path / "a.json",
        str(tmp_path / "a.csv"),
        pd.read_csv(tmp_path / "a.csv"),
    ]
    assert [report_of(source).results == report.results for source in sources] == [True] * 7


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.json", None, "No such file"),
        ("a.json", b"{", "it is not JSON"),
        ("a.json", b'{"rows": []}', "not a list of rows"),
        ("a.json", b"\xff\xfb", "not text"),
        ("a.json", b"[" * 200_000, "it is not JSON"),
        ("a.csv", b"one,two\n1,2\n", "Row 1 .* has no site"),
        ("a.csv", b'site,scope,verdict\nus1,"' + b"a" * 200_000 + b'",confirmed', "field larger"),
        ("a.csv", b"site,scope,verdict\nus1,a,confirmed,more\n", None),
    ],
)
def test_files_of_something_else(
    name: str, content: bytes | None, said: str | None, tmp_path: Path
) -> None:
    """A file without results is refused in words; extra cells do no harm."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    if said is None:
        assert len(report_of(tmp_path / name).results) == 1
        return
    with pytest.raises(InputError, match=said) as caught:
        report_of(tmp_path / name)
    assert caught.value.code == "bad_probe_rows"
