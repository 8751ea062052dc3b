"""Every format of a report says the same, is valid, and contains no secret."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from ddoauth_kit.grading.reports.comparison import (
    VerdictChange,
    changes,
    read_headline,
    read_verdicts,
)
from ddoauth_kit.grading.reports.junit import grade_junit
from ddoauth_kit.grading.reports.page import grade_page
from ddoauth_kit.grading.reports.texts import WIDTH, grade_markdown, grade_text
from ddoauth_kit.grading.reports.written import grade_json, write_grade
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import CheckResult, GradeReport, Verdict
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "sandbox-secret-0123456789abcdefghijklmnop"
HOSTILE = '<script>alert(1)</script> | **x** \x1b[31m ]]> "&'
VERDICTS = list(Verdict)


def report(*, worst: Verdict = Verdict.BROKEN) -> GradeReport:
    """Return a report with every requirement, every verdict, hostile words and a secret."""
    results = tuple(
        CheckResult(
            requirement=requirement,
            verdict=worst if number == 0 else VERDICTS[number % len(VERDICTS)],
            expected="A token request at api.datadoghq.com.",
            actual=f"It came to app.datadoghq.com. {HOSTILE} client_secret={SECRET}",
            evidence=(f"POST app.datadoghq.com /token 404 client_secret={SECRET}",),
            excerpt=f"500 {HOSTILE} access_token={SECRET}",
            reason="It was not tried." if number % 2 else "",
        )
        for number, requirement in enumerate(REQUIREMENTS.values())
    )
    return GradeReport(
        results=results,
        sites=("us1", "eu1"),
        connects=61,
        seconds=48.5,
        tolerated=("no-pkce",),
        left_out={"login-required": "our proxy does it"},
        notes=(f"A note. {SECRET}",),
    )


FORMS = {
    "text": lambda: grade_text(report()),
    "markdown": lambda: grade_markdown(report()),
    "junit": lambda: grade_junit(report()),
    "json": lambda: grade_json(report()),
    "page": lambda: grade_page(report()),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_and_no_control_character_is_in_it(form: str) -> None:
    """Masked values are masked in every format, and no text can control a terminal."""
    text = FORMS[form]()
    assert SECRET not in text
    assert "\x1b" not in text
    for name in REQUIREMENTS:
        assert name in text


def test_json_is_what_others_read() -> None:
    """The grade, and for each verdict the names of the documented shape."""
    found = json.loads(grade_json(report()))
    assert found["grade"] == "broken"
    assert {each["verdict"] for each in found["verdicts"]} == {str(each) for each in Verdict}
    assert len(found["verdicts"]) == len(REQUIREMENTS)
    assert found["tolerated"] == ["no-pkce"]


def test_junit_fails_for_broken_alone_and_skips_what_was_not_tried() -> None:
    """The counts agree with the cases."""
    suite = ET.fromstring(grade_junit(report()))[0]
    cases = list(suite)
    assert len(cases) == int(suite.attrib["tests"]) == len(REQUIREMENTS)
    verdicts = [result.verdict for result in report().results]
    assert len(suite.findall(".//failure")) == verdicts.count(Verdict.BROKEN)
    skipped = verdicts.count(Verdict.NOT_SEEN) + verdicts.count(Verdict.NOT_TESTED)
    assert len(suite.findall(".//skipped")) == skipped == int(suite.attrib["skipped"])


def test_text_fits_sixty_columns_and_begins_with_the_grade() -> None:
    """The worst verdict comes first, each with its fix; colour is used on request."""
    text = grade_text(report())
    assert text.startswith("broken: ")
    assert max(map(len, text.splitlines())) <= WIDTH
    words = re.findall(r"^(broken|not seen|not tested|risk|met) ", text, re.MULTILINE)
    assert words == sorted(words, key=["broken", "not seen", "not tested", "risk", "met"].index)
    assert "Fix:" in text
    assert "\x1b[31mbroken" in grade_text(report(), colour=True)


def test_the_page_loads_nothing_and_shows_hostile_words_as_words() -> None:
    """It has no script, no link to elsewhere, a filter for each verdict, and its coverage."""
    page = grade_page(report())
    assert not re.search(r"<script|<link|<iframe|<a |src=|href=|url\(|@import", page)
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page
    for verdict in Verdict:
        assert f'class="only-{verdict}"' in page
        assert f".only-{verdict}:checked" in page
    for requirement in REQUIREMENTS.values():
        assert requirement.source.replace("&", "&amp;") in page


def test_markdown_ends_no_cell_early() -> None:
    """Every row of the table has four cells, whatever a page said."""
    rows = [line for line in grade_markdown(report()).splitlines() if line.startswith("| ")]
    assert len(rows) == len(REQUIREMENTS) + 1
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 5
        assert "<script" not in row


def test_what_changed_is_told(tmp_path: Path) -> None:
    """A grading is compared with the files of an earlier one, and each change has a direction."""
    write_grade(report(), out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "grade.html",
        "grade.json",
        "grade.md",
        "junit.xml",
    }
    earlier = read_verdicts(tmp_path)
    assert changes(report(), earlier) == ()
    (changed,) = changes(report(worst=Verdict.MET), earlier)
    assert changed == VerdictChange("pkce-s256", Verdict.BROKEN, Verdict.MET)
    assert changed.line == "pkce-s256: broken -> met (better)"
    assert changed.line in grade_text(report(), changed=[changed])
    assert changes(report(), {"gone": Verdict.MET, **earlier})[0].after is None


ENCODED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "json": lambda s: json.dumps({"password": s}),
    "url": lambda s: quote(s, safe=""),
    "base64": lambda s: b64encode(f"user:{s}".encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "colour": lambda s: f"{s[:5]}\x1b[31m{s[5:]}",
    "spread": " ".join,
    "escapes": lambda s: "".join(f"\\x{b:02x}" for b in s.encode()),
}


@pytest.mark.parametrize("encoded", ENCODED)
@pytest.mark.parametrize("kept", ["variable", "store"])
def test_a_secret_of_this_user_is_in_no_form(
    encoded: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server can log its own password or the kit's stored secrets, which have no known format."""
    canary = "Canary/4711 of&this+user"
    if kept == "variable":
        monkeypatch.setenv("SERVER_PASSWORD", canary)
    else:
        monkeypatch.setenv("DDOAUTH_STORE", "file")
        monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "store"))
        slot = Slot("client_secret", site="us1", client_id="c")
        FileStore(tmp_path / "store").put(slot, Secret(canary, label="client_secret"))
    said = f"it says {ENCODED[encoded](canary)} here"
    first, *others = report().results
    result = replace(first, expected=said, actual=said, evidence=(said,), excerpt=said, reason=said)
    whole = replace(report(), results=(result, *others), notes=(said,), left_out={"a": said})
    for path in write_grade(whole, out=tmp_path / "out"):
        text = unescape(path.read_text("utf-8"))
        assert ENCODED[encoded](canary) not in text
        assert "it says " in text
    assert ENCODED[encoded](canary) not in grade_text(whole)


@pytest.mark.parametrize(
    "name", ["\x1b[31mx", "a\nb", "A", "", "x" * 70, "<b>", "a b", "sandbox_x", "-a", "\u202ea"]
)
def test_an_id_of_another_file_is_an_id(name: str, tmp_path: Path) -> None:
    """The value in place of a name is never printed."""
    content = {"verdicts": [{"id": name, "verdict": "met"}]}
    (tmp_path / "grade.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(SettingsError, match="is not the report"):
        read_verdicts(tmp_path)


def test_a_headline_of_another_file_is_one_printable_line(tmp_path: Path) -> None:
    """It is masked, too, because a lesson shows it."""
    said = {"grade": "met", "headline": f"all\x1b[2J\nwell {SECRET}"}
    (tmp_path / "grade.json").write_text(json.dumps(said), "utf-8")
    _, headline = read_headline(tmp_path)
    assert headline.isprintable()
    assert SECRET not in headline


@pytest.mark.parametrize("content", ["", "[]", '{"verdicts": [{"id": 1}]}', "{"])
def test_what_is_no_grading_cannot_be_compared(tmp_path: Path, content: str) -> None:
    """The line names the file and says what writes one."""
    with pytest.raises(SettingsError, match="is not the report"):
        read_verdicts(tmp_path)
    (tmp_path / "grade.json").write_text(content, "utf-8")
    with pytest.raises(SettingsError, match="is not the report"):
        read_verdicts(tmp_path)
