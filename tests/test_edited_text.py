"""Files that people edit are read as their editors save them."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.places import TESTS

from ddoauth_kit import registration_from_file
from ddoauth_kit.edited_text import decoded
from ddoauth_kit.errors import InputError
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

if TYPE_CHECKING:
    from pathlib import Path

MARKS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
CLIENT = TESTS / "data" / "reader_client.json"


@generated(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(MARKS)))
def test_a_text_comes_back_whatever_its_encoding(text: str, encoding: str) -> None:
    """UTF-8 with and without a mark, UTF-16 and UTF-32 with one, in both orders of bytes."""
    text = text.lstrip("\ufeff\0")
    assert decoded(MARKS[encoding] + text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", MARKS)
def test_a_client_file_is_read_by_kit_and_sandbox(tmp_path: Path, encoding: str) -> None:
    """A file saved by a Windows editor means the same to both."""
    path = tmp_path / "oauth_clients.json"
    path.write_bytes(MARKS[encoding] + CLIENT.read_text("utf-8").encode(encoding))
    assert registration_from_file(path) == registration_from_file(CLIENT)
    with Sandbox(client_file=path) as sandbox:
        assert sandbox.client.name == registration_from_file(CLIENT).name


def test_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    """Latin-1 has no mark, so nobody can tell."""
    path = tmp_path / "oauth_clients.json"
    path.write_bytes(CLIENT.read_text("utf-8").replace("name", "n\u00e4me").encode("latin-1"))
    with pytest.raises(InputError) as caught:
        registration_from_file(path)
    assert caught.value.code == "bad_client_file"


@pytest.mark.parametrize("encoding", MARKS)
def test_a_notebook_is_found(tmp_path: Path, encoding: str) -> None:
    """A notebook that an editor saved with a mark is a notebook."""
    path = tmp_path / "own.ipynb"
    path.write_bytes(
        MARKS[encoding] + json.dumps({"cells": [{"cell_type": "code"}]}).encode(encoding)
    )
    assert find_notebooks([str(path)]) == [path]
