"""No cell or column name in a CSV file is executed by a spreadsheet, and nothing is lost."""

from __future__ import annotations

import csv
import random
import re
import sys
import time
import unicodedata
from io import StringIO
from itertools import product

import pytest

from ddoauth_kit.workbook.show.spreadsheet import defused, read_csv, restored, write_csv

pytestmark = pytest.mark.checklist("N8")
LEADS = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\v",
    "\f",
    "\u00a0",
    "\u3000",
    "\ufeff",
    "\u200b",
    "\x00",
)
QUOTES = ("", "'", "''", " '", "'\t")
BEGINS = (
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "\ufe66",
    "\ufe62",
    "\ufe63",
    "\ufe6b",
    "\u2212",
    "\u207c",
)
SEPARATORS = ("", "x;", "x\t", "x\n", "x\r", "x\u2028", ";;", "a;b;")
PAYLOAD = "cmd|' /C calc'!A0"


def _cells(text: str) -> list[str]:
    """Return the possible cells for a program that splits at any separator, as it reads them."""
    parts = re.split(r"[;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", text)
    shown = ["".join(c for c in part if c == "'" or _visible(c)) for part in [text, *parts]]
    return [unicodedata.normalize("NFKC", part).replace("\u2212", "-") for part in shown]


def _visible(letter: str) -> bool:
    return unicodedata.category(letter) not in {"Cc", "Cf", "Zs", "Zl", "Zp"}


FORMULAS = [
    f"{separator}{lead}{quote}{begin}{PAYLOAD}"
    for separator, lead, quote, begin in product(SEPARATORS, LEADS, QUOTES, BEGINS)
]


def test_no_generated_formula_is_run() -> None:
    """No combination of separator, space, quote and sign begins a formula."""
    assert len(FORMULAS) == 8 * 13 * 5 * 14
    for text in FORMULAS:
        assert not [cell for cell in _cells(defused(text)) if cell[:1] in set("=+-@")], ascii(text)
        assert defused(text)[:1] not in set("=+-@\t\r\n")
        assert restored(defused(text)) == text, ascii(text)


@pytest.mark.parametrize("seed", range(20))
def test_any_text_comes_back(seed: int) -> None:
    """Texts of signs, quotes, separators and letters are the same after writing and reading."""
    random_ = random.Random(seed)
    alphabet = [*"='+-@;,\t\r\n\"ab 1", "\uff1d", "\u200b", "é"]
    rows = [
        {"=a": "".join(random_.choices(alphabet, k=random_.randrange(12))), "\t@b": "x", "c": ""}
        for _ in range(200)
    ]
    assert read_csv(write_csv(["=a", "\t@b", "c"], rows)) == rows


@pytest.mark.parametrize("text", ["plain", "", "'", "'quoted'", "a=b", "a - b", "1;2", "a\nb", "é"])
def test_ordinary_texts_stay(text: str) -> None:
    """Text that can't be executed is written unchanged."""
    assert defused(text) == text
    assert restored(text) == text


def test_numbers_stay_numbers() -> None:
    """A negative number is a number, and the same text is a text."""
    written = write_csv(["n"], [{"n": -1.5}, {"n": "-1.5"}, {"n": None}, {"n": ["=1"]}])
    cells = [row[0] if row else "" for row in csv.reader(StringIO(written, newline=""))]
    assert cells == ["n", "-1.5", "'-1.5", "", "['=1']"]


def test_every_sign_of_unicode_is_known() -> None:
    """A character that a program normalizes to one of the four signs counts as that sign."""
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.normalize("NFKC", letter)[:1] in set("=+-@"):
            assert defused(f"{letter}1") == f"'{letter}1", ascii(letter)


def test_column_names_are_cells() -> None:
    """A column's name may come from a server."""
    for text in FORMULAS[::97]:
        header = next(csv.reader(StringIO(write_csv([text, "b"], []), newline="")))
        assert not [cell for cell in _cells(header[0]) if cell[:1] in set("=+-@")]


@pytest.mark.parametrize("text", ["\n", "=", "'", "\t=", ";", "\u200b"])
def test_it_is_linear(text: str) -> None:
    """A quarter of a megabyte of one class of characters takes about a second at most."""
    began = time.thread_time()
    long = text * (250_000 // len(text))
    assert restored(defused(f"{long}=")) == f"{long}="
    assert time.thread_time() - began < 1.25
