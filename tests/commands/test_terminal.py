"""The commands print only printable text, whatever names, exceptions and servers contain."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from support.builders import notebook_file

from ddoauth_kit.cli import main
from ddoauth_kit.commands import terminal
from ddoauth_kit.errors import ApiError, InputError
from ddoauth_kit.printable import many_lines, one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.checklist("N8")
HOSTILE = (
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example.com\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "\x90q\x9c",
    "a\nno secrets found",
    "a\r\x1b[Kno secrets found",
    "a\x0bb",
    "a\x0cb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\u200b\u200d\ufeff",
    "\x08\x08\x08",
    "\x7f",
    "\x07",
    "\tb",
    "\x1c\x1d\x1e",
    "\udcff\udcfe",
    "\U000e0041",
    "\ue000",
)


def _is_clean(text: str) -> bool:
    return all(letter == "\n" or letter.isprintable() for letter in text)


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_a_text_on_one_line(hostile: str) -> None:
    """No unprintable character is left, and ordinary words in every script are unchanged."""
    shown = one_line(f"Grüße, 世界 🙂 {hostile}|")
    assert shown.startswith("Grüße, 世界 🙂 ")
    assert shown.isprintable()
    assert one_line("10\u00a0%") == "10 %"


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("name", ["answer", "document", "say", "complain"])
def test_every_way_to_print(name: str, hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No terminal function prints unprintable characters."""
    getattr(terminal, name)(f"first {hostile} last")
    out, err = capsys.readouterr()
    assert _is_clean(out + err)
    assert (out + err).count("\n") == 1 + (name == "document" and "\n" in hostile)


def test_lines_of_a_document() -> None:
    """A document keeps its own line ends, those of CSV too."""
    assert many_lines("a,b\r\n\r\rc\r\n") == "a,b\r\n\\r\\rc\r\n"


def test_an_encoding_that_lacks_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal without the letter there is an escape instead of a traceback."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.answer("key …abcd")
    assert stream.buffer.getvalue() == b"key \\u2026abcd\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_names_of_scanned_files(
    hostile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file's name can't move the cursor or forge a line of the scan."""
    folder = tmp_path / f"d{hostile.replace('/', '_')}"
    folder.mkdir()
    secret = "sandbox-secret-" + "0123456789" * 4
    (folder / f"f{hostile.replace('/', '_')}.txt").write_text(secret, "utf-8")
    assert main(["scan", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert _is_clean(out + err)
    assert out.count("\n") == 1
    assert err == "1 secret found\n"


BAD = {
    "scan": lambda name: ["scan", name],
    "check": lambda name: ["check", name],
    "client": lambda name: ["probe", "--client", name],
    "notebook": lambda name: ["run", name],
    "site": lambda name: ["run", "--site", name],
    "scope": lambda name: ["probe", "--scope", name],
    "forget": lambda name: ["store", "--forget", name],
    "option": lambda name: ["run", f"--mode={name}"],
}


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_bad_arguments(
    make: Callable[[str], list[str]],
    hostile: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An argument that is refused is quoted in a printable way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDOAUTH_STORE", "memory")
    try:
        code = main(make(f"x{hostile}"))
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert code in {0, 1, 2}, "and no traceback"
    assert _is_clean(out + err)


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_what_errors_say(hostile: str) -> None:
    """A server's words in an error, and the error's own, are printable however it is shown."""
    for kind in (ApiError, InputError):
        error = kind("not_stored", f"It says {hostile}.", said=(hostile, "plain"))
        shown = [str(error), repr(error), *error._render_traceback_(), error.what, *error.said]
        assert all(text.isprintable() for text in shown)


def test_a_notebook_that_fails_with_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run's table, progress and summary contain the exception's text in printable form."""
    text = "".join(letter for letter in "".join(HOSTILE) if not "\ud800" <= letter <= "\udfff")
    notebook = notebook_file(tmp_path, "fails", f"raise ValueError({text!r})")
    for extra in ([], ["--format", "json"]):
        assert main(["run", str(notebook), "--out", str(tmp_path / "out"), *extra]) == 1
        out, err = capsys.readouterr()
        assert "ValueError" in out
        assert _is_clean(out + err)
