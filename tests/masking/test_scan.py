"""The scan finds what looks like a secret wherever it stands, and repeats none of it."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from support.builders import notebook_file

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.scan import scan_paths
from ddoauth_kit.secret import Secret
from ddoauth_kit.workbook.lessons.notebooks import notebooks_folder

pytestmark = pytest.mark.checklist("N1")
MINTED = "sandbox-access-" + "0123456789" * 4
API_KEY = "0123456789abcdef0123456789abcdef"
APP_KEY = API_KEY + "01234567"
KNOWN = Secret('canary/"known"+value é', label="DD_API_KEY")
ENCODERS = {
    "raw": str,
    "url": lambda text: quote("".join(f"%{ord(c):02x}" if c == "-" else c for c in text), safe="%"),
    "base64": lambda text: b64encode(f"user:{text}".encode()).decode(),
    "base64 in a URL": lambda text: quote(b64encode(text.encode()).decode()),
    "json": lambda text: json.dumps({"a": text}),
    "json escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "html": lambda text: html.escape(f'<a title="{text}">').replace("-", "&#45;"),
}


def _found(folder: Path, text: str, *, secrets: tuple[Secret, ...] = ()) -> list[str]:
    path = folder / "log.txt"
    path.write_text(f"first line\n{text}\n", encoding="utf-8")
    return [
        str(finding).removeprefix(f"{path}: ") for finding in scan_paths([path], secrets=secrets)
    ]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    ("secret", "what"),
    [
        (MINTED, "credential of the sandbox"),
        ("sandbox-key-0123456789abcdef0123", "credential of the sandbox"),
        (API_KEY, "API key (32 hex digits)"),
        (APP_KEY, "application key (40 hex digits)"),
        ("Bearer abcdefgh12345678", "credential of a header"),
    ],
)
def test_shapes_are_found_in_every_encoding(
    secret: str, what: str, encoder: str, tmp_path: Path
) -> None:
    """Raw, URL-encoded, in base64, escaped in JSON or HTML."""
    assert f"line 2: {what}" in _found(tmp_path, ENCODERS[encoder](secret))


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name != "json escapes"])
def test_known_values_are_found_in_every_encoding(encoder: str, tmp_path: Path) -> None:
    """A value that is known needs no shape."""
    found = _found(tmp_path, ENCODERS[encoder](KNOWN.reveal()), secrets=(KNOWN,))
    assert found == ["line 2: the value of <DD_API_KEY>"]
    assert _found(tmp_path, ENCODERS[encoder](KNOWN.reveal())) == []


@pytest.mark.parametrize(
    "text",
    [
        "sandbox-access-…",
        "Bearer <credential>",
        "Basic authentication",
        "uses: actions/checkout@0123456789abcdef0123456789abcdef01234567",
        "https://example.com/commit/0123456789abcdef0123456789abcdef01234567",
        "5f0c9a3e-7d41-4c7f-9a56-0d6f2b1c8e90",
        "sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "1" * 32,
    ],
)
def test_what_is_no_secret_is_left_alone(text: str, tmp_path: Path) -> None:
    """Placeholders, prose, commits, ids and checksums are no findings."""
    assert _found(tmp_path, text) == []


def _noted(folder: Path, change: Any) -> list[str]:
    """Change a notebook, scan it and return the places."""
    path = notebook_file(folder, "noted", "1")
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return [finding.where for finding in scan_paths([path], secrets=(KNOWN,))]


def _stream(text: str, name: str = "stdout") -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("cell 2, source", lambda nb: nb.cells[1].update(source=f"KEY = '{MINTED}'")),
        ("cell 2, metadata", lambda nb: nb.cells[1].metadata.update(note={"a": MINTED})),
        ("cell 2, output 1", lambda nb: nb.cells[1].update(outputs=[_stream(MINTED)])),
        (
            "cell 2, output 2",
            lambda nb: nb.cells[1].update(
                outputs=[
                    _stream("fine"),
                    nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[MINTED]),
                ]
            ),
        ),
        (
            "cell 1, attachments",
            lambda nb: nb.cells.insert(
                0, {"cell_type": "markdown", "attachments": {"a": {"text/plain": MINTED}}}
            ),
        ),
        (
            "metadata papermill",
            lambda nb: nb.metadata.update(papermill={"parameters": {MINTED: 1}}),
        ),
        ("widget state", lambda nb: nb.metadata.update(widgets={"x": {"state": {"v": MINTED}}})),
    ],
)
def test_every_part_of_a_notebook_is_looked_at(where: str, change: Any, tmp_path: Path) -> None:
    """Sources, outputs, tracebacks, metadata, attachments and widget state, each with its place."""
    assert _noted(tmp_path, change) == [where]


def test_what_is_spread_over_outputs_is_found(tmp_path: Path) -> None:
    """A value in two streams, over lines or between colours is read as a person would."""
    value = KNOWN.reveal()
    for pieces in (
        [_stream(value[:9]), _stream(value[9:], "stderr")],
        [_stream("\n".join(value))],
        [_stream(f"\x1b[31m{value[:5]}\x1b[0m{value[5:]}")],
        [_stream(MINTED[:20]), _stream(MINTED[20:])],
    ):
        places = _noted(tmp_path, lambda nb, pieces=pieces: nb.cells[1].update(outputs=pieces))
        assert "spread over outputs" in places


def test_ids_of_widgets_are_no_keys(tmp_path: Path) -> None:
    """A widget's id has the shape of an API key."""
    state = {
        "application/vnd.jupyter.widget-state+json": {"state": {API_KEY: {"model_id": API_KEY}}}
    }
    assert _noted(tmp_path, lambda nb: nb.metadata.update(widgets=state)) == []


def test_the_lessons_are_clean() -> None:
    """The notebooks of this repository hold nothing that looks like a secret."""
    assert scan_paths([notebooks_folder()]) == []


def test_folders_files_and_what_is_broken(tmp_path: Path) -> None:
    """A folder is walked, a broken notebook is read as text, a missing path is refused."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "broken.ipynb").write_text(f"{{{MINTED}", "utf-8")
    (tmp_path / "binary").write_bytes(b"\0\xff" + MINTED.encode())
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").write_text(MINTED, "utf-8")
    found = scan_paths([tmp_path])
    assert [Path(finding.path).name for finding in found] == ["binary", "broken.ipynb"]
    assert MINTED not in str(found)
    with pytest.raises(InputError, match="There is no"):
        scan_paths([tmp_path / "nowhere"])
