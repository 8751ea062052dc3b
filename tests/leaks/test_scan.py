"""The scan finds anything that looks like a secret, wherever it is, and repeats none of it."""

from __future__ import annotations

import bz2
import gzip
import html
import io
import json
import lzma
import os
import random
import tarfile
import time
import zipfile
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from support.builders import notebook_file

from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.scan import scan_paths
from ddoauth_kit.secret import Secret
from ddoauth_kit.workbook.lessons.notebooks import notebooks_folder
from ddoauth_kit.workbook.runs.notebook_pages import notebook_page

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
    """A known value is found whatever its format."""
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
    """Placeholders, prose, commits, ids and checksums are not findings."""
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


def test_the_lessons_are_clean(tmp_path: Path) -> None:
    """This repository's notebooks contain no secrets, and neither do the pages of a run."""
    for path in notebooks_folder().glob("*.ipynb"):
        page = notebook_page(nbformat.read(path, as_version=4), title="t")
        (tmp_path / f"{path.stem}.html").write_text(page, "utf-8")
    assert scan_paths([notebooks_folder(), tmp_path]) == []


@pytest.mark.parametrize("block", ["div", "section", "table"])
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a known 'first{block}second4711'", "the value of <DD_API_KEY>"),
        ("curl{block}-u ada:hunter2-4711 https://example.com", "password of a curl command"),
        ("https://a.example/?code=abcdefgh{block}&state=x&domain=y", "code of a redirect"),
        ("?domain=datadoghq.com{block} https://a.example/?code=abcdefgh", "code of a redirect"),
    ],
)
def test_what_lies_across_two_blocks_of_a_page(
    block: str, text: str, what: str, tmp_path: Path
) -> None:
    """A page is read block by block, and a secret that spans two blocks is still found."""
    tag = f"<{block}>"
    known = Secret(f"first{tag}second4711", label="DD_API_KEY")
    page = f"<p>ordinary</p>{text.format(block=f'{tag} ' if 'curl' in text else tag)}<div>end</div>"
    found = []
    for name in ("page.html", "page.txt"):
        (tmp_path / name).write_text(page, "utf-8")
        found.append({f.what for f in scan_paths([tmp_path / name], secrets=[known])})
    assert found[0] == found[1] == {what}


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


PLANTED = {
    "an API key": API_KEY,
    "a key in upper case": API_KEY.upper(),
    "an access token": "ddpat_" + "a1B2" * 8,
    "a service token": "ddsat_" + "a1B2" * 8,
    "an application key": "ddapp_" + "a1B2" * 8,
    "a variable": "DDOAUTH_CLIENT_SECRET=canary-secret",
    "a token answer": '{"refresh_token": "canary-refresh-1", "client_secret": "canary-1-abc"}',
    "the old intake": f"https://http-intake.logs.datadoghq.com/v1/input/{API_KEY}",
    "a redirect": "https://a.example/cb?code=canary-4711&state=canary-4712",
    "a command": "curl -u admin:canary-4711 https://a.example",
}
FILES = {
    "utf-8": lambda text: text.encode(),
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 of PowerShell": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16 without a mark": lambda text: (f"{text}\r\n" * 3).encode("utf-16-le"),
    "utf-16, other end": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
    "latin-1": lambda text: f"\u00e9\u00e8\n{text}".encode("latin-1"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of utf-16": lambda text: gzip.compress(text.encode("utf-16")),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
    "bzip2 in zip": lambda text: _zipped({"a.bz2": bz2.compress(text.encode())}),
    "tar in xz": lambda text: lzma.compress(b"a" + b"\0" * 511 + text.encode() + b"\0" * 512),
    "two gzips": lambda text: gzip.compress(b"a\n") + gzip.compress(text.encode()),
    "zip": lambda text: _zipped({"a.txt": b"-", "b/c.txt": text.encode()}),
    "zip in zip": lambda text: _zipped({"a.zip": _zipped({"b.txt": text.encode()})}),
    "gzip in zip": lambda text: _zipped({"a.gz": gzip.compress(text.encode())}),
    "after a block of the scan": lambda text: b"x y\n" * 70_000 + text.encode(),
    "binary": lambda text: bytes(range(256)) + b"\0" + text.encode() + b"\0\xff",
}


def _zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.checklist("N7")
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("secret", PLANTED)
def test_files_of_every_kind_are_read(secret: str, file: str, tmp_path: Path) -> None:
    """Encodings are recognized by their marks, and containers are opened."""
    path = tmp_path / "data"
    path.write_bytes(FILES[file](PLANTED[secret]))
    found = scan_paths([path])
    assert found
    assert "could not be read" not in str(found)
    assert "canary" not in str(found)


MALFORMED: list[Any] = [
    *(None, 1, "text", [], [1], {}, {"cells": None}, {"cells": {}}, {"cells": [None]}),
    *({"cells": [1, "a", []]}, {"cells": [{"outputs": None}]}, {"cells": [{"outputs": [1]}]}),
    *({"cells": [{"outputs": [{"data": None}]}]}, {"cells": [{"outputs": [{"data": [1]}]}]}),
    *({"cells": [{"outputs": [{"text": None}]}]}, {"cells": [{"outputs": [{"text": [1, {}]}]}]}),
    *({"cells": [{"outputs": [{"traceback": 1}]}]}, {"cells": [{"outputs": [{"traceback": [1]}]}]}),
    *({"cells": [], "metadata": None}, {"cells": [], "metadata": {"widgets": 1}}),
    *({"cells": [], "metadata": {"widgets": {"a": [1]}}}, {"cells": [{"source": [1, None]}]}),
    *({"cells": [{"attachments": []}]}, {"cells": [{"outputs": {"a": 1}}]}, {"metadata": []}),
    {"cells": [{"outputs": [{"data": {"application/vnd.jupyter.widget-view+json": 1}}]}]},
]


@pytest.mark.checklist("N7")
@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_notebooks_are_read(content: Any, tmp_path: Path) -> None:
    """Whatever a notebook lacks, its secrets are found, and the next file is also read."""
    bad, good = tmp_path / "a.ipynb", tmp_path / "b.txt"
    bad.write_text(json.dumps({"x": MINTED, "y": content}), "utf-8")
    good.write_text(MINTED, "utf-8")
    assert {Path(f.path).name for f in scan_paths([tmp_path])} == {"a.ipynb", "b.txt"}
    if isinstance(content, dict):
        bad.write_text(json.dumps({**content, "x": MINTED}), "utf-8")
        assert {Path(f.path).name for f in scan_paths([tmp_path])} == {"a.ipynb", "b.txt"}


@pytest.mark.checklist("N7")
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 5_000, '{"cells": [' + '{"a":' * 900, "", "{", '{"cells": [{"a": "'],
)
def test_torn_and_deep_notebooks_are_read(text: str, tmp_path: Path) -> None:
    """Content that crashes every parser is read as text."""
    (tmp_path / "a.ipynb").write_text(f"{text} {MINTED}", "utf-8")
    assert scan_paths([tmp_path])


@pytest.mark.checklist("N7")
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A broken container, one that is too deep, a pipe and a dead link are findings by name."""
    deep = b"end"
    for _ in range(6):
        deep = gzip.compress(deep)
    (tmp_path / "broken.zip").write_bytes(_zipped({"a": b"b" * 500})[:100])
    (tmp_path / "deep.gz").write_bytes(deep)
    (tmp_path / "large.gz").write_bytes(gzip.compress(b"\0" * (65 << 20)))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = scan_paths([tmp_path])
    assert {Path(finding.path).name for finding in found} == {
        *("broken.zip", "deep.gz", "large.gz", "link", "pipe")
    }
    assert all("could not be read" in finding.what for finding in found)


def test_a_variable_that_is_not_text(tmp_path: Path) -> None:
    """A secret with bytes that are not text is found as well."""
    raw = b"canary-\xff\xfe-4711"
    (tmp_path / "a").write_bytes(b"x " + raw)
    secret = Secret(raw.decode("utf-8", "surrogateescape"), label="A_TOKEN")
    assert scan_paths([tmp_path], secrets=[secret])


IDS: dict[str, Any] = {
    "a cell's id": lambda nb: nb.cells[1].update(id=API_KEY),
    "Deepnote's cell id": lambda nb: nb.cells[1].metadata.update(cell_id=API_KEY),
    "Deepnote's notebook id": lambda nb: nb.metadata.update(deepnote_notebook_id=API_KEY),
    "nbgrader's checksum": lambda nb: nb.cells[1].metadata.update(nbgrader={"checksum": API_KEY}),
    "Colab's id": lambda nb: nb.cells[1].metadata.update(id=API_KEY),
    "Colab's widgets": lambda nb: nb.metadata.update(
        widgets={
            "application/vnd.jupyter.widget-state+json": {
                API_KEY: {"state": {"layout": f"IPY_MODEL_{API_KEY}", "model_id": API_KEY}}
            }
        }
    ),
    "a view": lambda nb: nb.cells[1].update(
        outputs=[
            nbformat.v4.new_output(
                "display_data",
                {"application/vnd.jupyter.widget-view+json": {"model_id": API_KEY}},
            )
        ]
    ),
    "an animation": lambda nb: nb.cells[1].update(
        outputs=[
            nbformat.v4.new_output(
                "display_data",
                {"text/html": f'<img id="_anim_img{API_KEY}"><i id="_anim_radio1_{API_KEY}">'},
            )
        ]
    ),
    "a commit": lambda nb: nb.cells[1].update(source=f"# rev: {APP_KEY}\n!git checkout a"),
    "a placeholder": lambda nb: nb.cells[1].update(source=f"KEY = '{'1' * 32}'"),
}


@pytest.mark.parametrize("place", IDS)
def test_ids_at_their_places_are_no_keys(place: str, tmp_path: Path) -> None:
    """An id in an id's place is ignored; the same text in an output is a key."""
    assert _noted(tmp_path, IDS[place]) == []
    if "commit" not in place and "placeholder" not in place:

        def shown_too(notebook: Any) -> None:
            IDS[place](notebook)
            notebook.cells.append(nbformat.v4.new_code_cell("1", outputs=[_stream(API_KEY)]))

        assert _noted(tmp_path, shown_too)[-1].endswith("output 1")


@pytest.mark.parametrize("prefix", ["ddpat_", "ddsat_", "ddapp_"])
@pytest.mark.parametrize("cut", range(1, 37, 5))
def test_keys_that_outputs_tear_apart_are_found(prefix: str, cut: int, tmp_path: Path) -> None:
    """A token in two outputs of a cell is found, and so is a key of hex digits."""
    for value in (prefix + "a1B2" * 8, API_KEY):
        at = min(cut, len(value) - 1)
        pieces = [_stream(value[:at]), _stream(value[at:])]
        places = _noted(tmp_path, lambda nb, pieces=pieces: nb.cells[1].update(outputs=pieces))
        assert places


@pytest.mark.checklist("N7")
@pytest.mark.parametrize(
    "begins",
    [
        b"7z\xbc\xaf'\x1c",
        b"Rar!\x1a\x07\0",
        b"(\xb5/\xfd",
        b'\x04"M\x18',
        b"MSCF\0\0",
        b"]\0\0\x80",
    ],
)
@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda data: _zipped({"a.bin": data})])
def test_a_container_that_nothing_unpacks_is_named(
    begins: bytes, wrap: Any, tmp_path: Path
) -> None:
    """It counts as a finding, alone or in another container."""
    (tmp_path / "a.bin").write_bytes(wrap(begins + b"rest of it"))
    (found,) = scan_paths([tmp_path])
    assert "could not be read" in found.what


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    """A flag says so; its files do not count as clean."""
    data = bytearray(_zipped({"a.txt": b"secret"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    (found,) = scan_paths([tmp_path])
    assert "encrypted" in found.what


@pytest.mark.parametrize("name", ["{}", "a-{}.txt", "{}.html", "b.{}.us1.ipynb"])
def test_a_known_value_in_a_name_is_found_and_not_repeated(name: str, tmp_path: Path) -> None:
    """The name of a file or of a file in a zip counts, and the finding masks it."""
    canary = "canary-4711-in-a-name"
    secret = Secret(canary, label="client_secret")
    (tmp_path / name.format(canary)).write_text("nothing")
    (tmp_path / "a.zip").write_bytes(_zipped({name.format(canary): b"nothing"}))
    found = scan_paths([tmp_path], secrets=[secret])
    assert {each.where for each in found} == {"the file's name", "the name of a file in it"}
    assert canary not in "".join(map(str, found))


def _tar(files: dict[str, bytes], *, beside: dict[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(data), beside or {}
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


BINARIES = {
    "in UTF-8": lambda s: s.encode(),
    "in UTF-16": lambda s: s.encode("utf-16-le"),
    "in UTF-16 at an odd place": lambda s: b"\xff" + s.encode("utf-16-le"),
    "in UTF-16, big first": lambda s: s.encode("utf-16-be"),
    "after a zero": lambda s: b"\0" + s.encode() + b"\0",
    "in colour": lambda s: f"\x1b[32m{s}\x1b[0m".encode(),
    "in base64": lambda s: b64encode(f"user:{s}".encode()),
    "in JSON": lambda s: json.dumps({"a": f"\n{s}"}).encode(),
    "in a path": lambda s: f"https://http-intake.logs.datadoghq.com/v1/input/{s}".encode(),
}


@pytest.mark.parametrize("written", BINARIES)
def test_strings_of_a_binary(written: str, tmp_path: Path) -> None:
    """A picture or a program is looked through as quickly as a text, and hides nothing in it."""
    noise = random.Random(written).randbytes(48 * 1024)
    path = tmp_path / "picture.png"
    begun = time.thread_time()
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + noise)
    assert scan_paths([path]) == []
    for secret in (API_KEY, APP_KEY, MINTED):
        path.write_bytes(
            b"\x89PNG" + noise + b"\xff " + BINARIES[written](secret) + b" \xff" + noise
        )
        assert scan_paths([path])
    path.write_bytes(noise + b"\xff " + KNOWN.reveal().encode() + noise)
    assert scan_paths([path], secrets=[KNOWN])
    assert time.thread_time() - begun < 1.2


def test_files_of_a_tar(tmp_path: Path) -> None:
    """Each file in it is read by its kind: a notebook, UTF-16, another container; names as well."""
    notebook = {"cells": [{"cell_type": "code", "source": [f"key = '{API_KEY}'"], "outputs": []}]}
    files = {
        "a.ipynb": json.dumps(notebook).encode(),
        "b.txt": f"x {APP_KEY}".encode("utf-16"),
        "c.gz": gzip.compress(f"x {MINTED}".encode()),
        "d.png": random.Random(1).randbytes(999) + b" " + API_KEY.encode() + b"\0",
        "plain.txt": b"nothing",
    }
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(_tar(files)))
    found = [str(each).removeprefix(str(path)) for each in scan_paths([path])]
    for name, what in {
        "a.ipynb": "cell 1, source: API key (32 hex digits)",
        "b.txt": "line 1: application key (40 hex digits)",
        "c.gz": "line 1: credential of the sandbox",
        "d.png": "API key (32 hex digits)",
    }.items():
        assert [each for each in found if each.startswith(f" ({name})") and each.endswith(what)]
    assert len(found) == 4


@pytest.mark.parametrize("place", ["comment", "uname", "linkpath"])
def test_what_a_tar_says_beside_its_files(place: str, tmp_path: Path) -> None:
    """A file's comment, its owner and a link's target are also read."""
    path = tmp_path / "a.tar"
    path.write_bytes(_tar({"a.txt": b"nothing"}, beside={place: f"see {MINTED}"}))
    assert scan_paths([path])
    path.write_bytes(_tar({"a.txt": b"nothing"})[:-1024] + f"\0\0 {MINTED}".encode())
    assert scan_paths([path])


@pytest.mark.parametrize("kept", [300, 600, 1500])
def test_a_torn_tar(kept: int, tmp_path: Path) -> None:
    """A tar file that ends too early is named, or what is left of it is read."""
    path = tmp_path / "a.tar"
    path.write_bytes(_tar({"a.txt": b"x" * 900 + b"\n" + MINTED.encode() + b"\n" * 900})[:kept])
    assert scan_paths([path])
