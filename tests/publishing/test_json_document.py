"""JSON is parsed with the place of each member, and edited without touching the rest."""

from __future__ import annotations

import json

import pytest
from support.folders import CLEAN, MANIFEST

from ddoauth_kit.publishing.integration_files import TextFile
from ddoauth_kit.publishing.json_document import BrokenJson, Document, parse_json
from ddoauth_kit.publishing.patch import edited


def _parse(text: str) -> Document:
    document = parse_json(TextFile("f", text))
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "7",
        '"a"',
        "null",
        '{"a": {"b": [1, {"c": "}]"}]}, "d": -1.5e3}',
        '{"a\\"b": "x\\\\", "": [[], {}], "u": "\\ud83d"}',
        (CLEAN / MANIFEST).read_text("utf-8"),
    ],
)
def test_members_stand_where_they_stand(text: str) -> None:
    """The text from start to end of each member is the JSON of its value."""
    document = _parse(text)
    assert () in document.members
    for path, member in document.members.items():
        assert json.loads(text[member.start : member.end]) == document.get(*path)
        if path and isinstance(path[-1], str):
            assert json.loads(text[member.key_start : member.key_end]) == path[-1]


@pytest.mark.parametrize(
    "text",
    [
        '{"t": {"a": 1, "b": 2}}',
        '{"t":{"a":1,"b":2}}',
        '{\n  "t" : {\n    "a" : 1,\n    "b" : 2\n  }\n}\n',
        '{\r\n\t"t": {\r\n\t\t"a": 1,\r\n\t\t"b": 2}}',
        '{"t": {}}',
        '{"t": {"b": 2, "a": {"x": [1, 2]}}}',
    ],
)
@pytest.mark.parametrize("before", ["b", "none", None])
def test_insertion_adds_one_member(text: str, before: str | None) -> None:
    """Whatever the layout, the result is JSON with one more member and is otherwise unchanged."""
    document = _parse(text)
    edits = document.inserted("t", "new", value="v", before=before)
    result = edited(document.file, edits).text
    value = json.loads(result)
    assert value["t"].pop("new") == "v"
    assert value == document.value
    start, text_added = edits[0].start, edits[0].text
    assert result == text[:start] + text_added + text[start:]


def test_insertion_keeps_the_layout() -> None:
    """A new member has the blanks of its neighbour."""
    text = '{\n\t"a" : 1,\n\t"b" : 2\n}'
    document = _parse(text)
    first = edited(document.file, document.inserted("n", value="v", before="b")).text
    last = edited(document.file, document.inserted("n", value="v")).text
    assert first == '{\n\t"a" : 1,\n\t"n" : "v",\n\t"b" : 2\n}'
    assert last == '{\n\t"a" : 1,\n\t"b" : 2,\n\t"n" : "v"\n}'


def test_nothing_is_inserted_where_no_object_is() -> None:
    """A path through a text or a list has no place for a member."""
    document = _parse('{"t": "x", "l": []}')
    assert document.inserted("t", "n", value="v") == ()
    assert document.inserted("l", "n", value="v") == ()
    assert document.inserted("none", "n", value="v") == ()


def test_repeated_keys_are_noted_and_the_last_counts() -> None:
    """As in the standard library, the last of two members wins, and its position is recorded."""
    text = '{"a": {"x": 1}, "b": 2, "a": {"y": 3}}'
    document = _parse(text)
    assert document.repeated == ((("a",), text.rindex('"a"')),)
    assert document.get("a") == {"y": 3}
    result = edited(document.file, document.inserted("a", "n", value="v")).text
    assert json.loads(result)["a"] == {"y": 3, "n": "v"}
    assert edited(document.file, document.inserted("n", value="v")).text.endswith(', "n": "v"}')


def test_values_that_are_not_there_are_none() -> None:
    """Unknown keys, indexes out of range and steps into texts lead to None."""
    document = _parse('{"a": [1], "b": "x"}')
    for path in (("z",), ("a", 1), ("a", -1), ("a", "0"), ("b", 0), ("b", "x")):
        assert document.get(*path) is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "Expecting value at line 1 column 1"),
        ('{"a": 1,\r\n"b" 2}', 2, "Expecting ':' delimiter at line 2 column 5"),
        ('{"a": "x\ny"}', 1, "Invalid control character"),
        ("[1] [2]", 1, "Extra data"),
    ],
)
def test_broken_json_has_line_and_column(text: str, line: int, words: str) -> None:
    """The position of invalid JSON is reported."""
    broken = parse_json(TextFile("f", text))
    assert isinstance(broken, BrokenJson)
    assert broken.line == line
    assert words in broken.why
