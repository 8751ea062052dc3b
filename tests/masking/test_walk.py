"""A secret is found and masked however deep it is encoded, and in a time that grows in line."""

from __future__ import annotations

import bz2
import gzip
import html
import io
import json
import lzma
import random
import string
import textwrap
import time
import unicodedata
import zipfile
import zlib
from base64 import a85encode, b32encode, b64encode, b85encode, urlsafe_b64encode
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest

from ddoauth_kit.leaks.people import mask_people
from ddoauth_kit.masking.redaction import Masker, redact_body
from ddoauth_kit.masking.walk import _LONG_WORD, DEPTH
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    Encode = Callable[[str], str]

pytestmark = pytest.mark.checklist("N1")
SHAPED = "c0ffee00c0ffee11c0ffee22c0ffee33"
AWKWARD = 'canary"client\\name/+<a>&é end'
KNOWN = Secret(AWKWARD, label="client_secret")


def _zipped(text: str, *, name: str = "a/b.txt") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


STAGES: dict[str, Encode] = {
    "after a newline": lambda s: f"first\n{s}\tlast",
    "json": lambda s: json.dumps({"a": [f"\n{s}\r"]}),
    "json in ascii": lambda s: json.dumps({"a": s}, ensure_ascii=True),
    "json with slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "javascript": lambda s: "".join(f"\\x{b:02x}" for b in s.encode("latin-1")),
    "javascript in long": lambda s: "".join(f"\\u{{{ord(c):x}}}" for c in s),
    "json escapes": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "python": lambda s: repr({"a": f"\t{s}"}),
    "url": lambda s: f"https://x.example/?q={quote(s, safe='')}",
    "url in lower case": lambda s: "".join(f"%{b:02x}" for b in s.encode()),
    "a form": lambda s: urlencode({"a": "b", "q": s}),
    "html": lambda s: f'<a title="{html.escape(s)}">',
    "html as pandas": lambda s: f"<td>{html.escape(s, quote=False)}</td>",
    "html numbers": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "colour before": lambda s: f"\x1b[32m{s}\x1b[0m",
    "colour inside": lambda s: f"{s[:5]}\x1b[1;31m{s[5:]}",
    "cursor inside": lambda s: f"{s[:7]}\x1b[2K\x1b[1G{s[7:]}",
    "invisible inside": lambda s: f"{s[:9]}\u200b{s[9:]}",
    "tags inside": lambda s: f"<b>{html.escape(s[:6])}</b><i class='x'>{html.escape(s[6:])}</i>",
    "base64": lambda s: _base64(f"user:{s}".encode()),
    "base64 of a form": lambda s: _base64(urlencode({"a": s}).encode()),
    "base64 of json": lambda s: _base64(json.dumps({"a": s}).encode()),
    "base64 for urls": lambda s: f"name_{urlsafe_b64encode(s.encode()).decode()}",
    "base64 in lines": lambda s: "\n".join(
        _base64(f"{'x ' * 90}{s}".encode())[i : i + 76] for i in range(0, 400, 76)
    ),
    "base64 of utf-16": lambda s: _base64(s.encode("utf-16-le")),
    "hex": lambda s: s.encode().hex(),
    "hex in upper case": lambda s: s.encode().hex().upper(),
    "hex with its prefix": lambda s: f"0x{s.encode().hex()}",
    "octal": lambda s: "".join(f"\\{b:03o}" for b in s.encode()),
    "octal of a shell": lambda s: "".join(f"\\0{b:03o}" for b in s.encode()),
    "python in long": lambda s: "".join(f"\\U{ord(c):08x}" for c in s),
    "python's names": lambda s: "".join(f"\\N{{{unicodedata.name(c)}}}" for c in s),
    "java": lambda s: "".join(f"\\uuu{ord(c):04x}" for c in s),
    "perl": lambda s: "".join(f"\\x{{{ord(c):x}}}" for c in s),
    "a style sheet": lambda s: "".join(f"\\{ord(c):06x}" for c in s),
    "a style sheet, short": lambda s: "".join(f"\\{ord(c):02x} " for c in s),
    "html numbers without end": lambda s: "".join(f"&#{ord(c)}" for c in s) + " ",
    "html numbers with zeros": lambda s: "".join(f"&#x000000{ord(c):x};" for c in s),
    "javascript's escape": lambda s: "".join(f"%u{ord(c):04x}" for c in s),
    "quoted-printable": lambda s: "".join(f"={b:02X}" for b in s.encode()),
    "quoted-printable, broken": lambda s: f"{s[:9]}=\n{s[9:]}",
    "base32": lambda s: b32encode(s.encode()).decode(),
    "base64 in short lines": lambda s: "\n  ".join(
        _base64(f"{'x ' * 90}{s}".encode())[i : i + 40] for i in range(0, 400, 40)
    ),
    "zlib in base64": lambda s: _base64(zlib.compress(s.encode())),
    "bzip2 in base64": lambda s: _base64(bz2.compress(s.encode())),
    "xz in base64": lambda s: _base64(lzma.compress(s.encode())),
    "the name of a file in a zip": lambda s: _base64(_zipped("x", name=f"{s.replace('/', '')}/a")),
    "hex with colons": lambda s: ":".join(f"{b:02x}" for b in s.encode()),
    "hex in a list": lambda s: ", ".join(f"0x{b:02x}" for b in s.encode()),
    "numbers in a list": lambda s: str(list(s.encode())),
    "full width": lambda s: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in s),
    "tags": lambda s: "".join(chr(0xE0000 + ord(c)) if c.isascii() else c for c in s),
    "joiners": "\u034f".join,
    "selectors": "\ufe0f".join,
    "directions": lambda s: f"{s[:4]}\u202d{s[4:8]}\u2066{s[8:]}",
    "separators of Mongolian": "\u180e".join,
    "character sets": lambda s: f"{s[:5]}\x1b(B{s[5:]}",
    "keypad and cursor": lambda s: f"{s[:5]}\x1b=\x1b7{s[5:9]}\x1b#8{s[9:]}",
    "eight-bit colour": lambda s: f"{s[:5]}\x9b31m{s[5:]}",
    "comments inside": lambda s: f"{html.escape(s[:6])}<!-- x -->{html.escape(s[6:])}",
    "parts of a picture's text": lambda s: (
        f"<tspan>{html.escape(s[:6])}</tspan><tspan x='1'>{html.escape(s[6:])}</tspan>"
    ),
    "gzip in base64": lambda s: _base64(gzip.compress(s.encode())),
    "zip in base64": lambda s: _base64(_zipped(s)),
}
NESTED = ("json", "url", "html", "base64", "python", "json escapes", "colour before")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("value", [SHAPED, AWKWARD], ids=["shaped", "known"])
def test_each_stage(stage: str, value: str) -> None:
    """One layer of encoding hides neither recognizable secrets nor known ones."""
    text = STAGES[stage](value)
    masked = Masker([KNOWN])(text)
    assert masked != text
    assert not _readable(value, masked)


BETWEEN = ("-", " ", "\n", "', '", '", "', " | ", "\u00a0", "\u2009", ".", "**", "' + '", "\\\n")


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("each", [1, 2, 7, 16])
@pytest.mark.parametrize("case", [str, str.upper, str.swapcase])
def test_a_known_value_is_found_by_its_letters(
    between: str, each: int, case: Callable[[str], str]
) -> None:
    """This holds whatever is between its letters, and whatever their case."""
    value = "canary7client+name/4711Zx"
    written = case(between.join(value[i : i + each] for i in range(0, len(value), each)))
    masked = Masker([Secret(value, label="client_secret")])(f"it is {written} here")
    assert masked == "it is <client_secret> here"


DUMPS: dict[str, Callable[[bytes], str]] = {
    "hex in pairs": lambda b: b.hex(" ", 2),
    "hex in fours": lambda b: b.hex("-", 4),
    "hex in lines": lambda b: "\n".join(textwrap.wrap(b.hex(" ", 2), 39)),
    "decimal": lambda b: " ".join(map(str, b)),
    "decimal in a column": lambda b: "\n".join(map(str, b)),
    "octal": lambda b: " ".join(f"{n:o}" for n in b),
    "octal in threes": lambda b: " ".join(f"{n:03o}" for n in b),
    "binary": lambda b: " ".join(f"{n:08b}" for n in b),
    "a list": lambda b: str([*b])[1:-1],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("dump", DUMPS)
def test_a_dump_of_a_known_value(dump: str, encoding: str) -> None:
    """Memory that is printed as numbers, in whichever base, is still the value."""
    text = DUMPS[dump](AWKWARD.encode(encoding))
    assert Masker([KNOWN])(f"it is {text}\n; here") == "it is <client_secret>\n; here"


@pytest.mark.parametrize(
    "encode", [a85encode, b85encode, lambda b: str(int.from_bytes(b)).encode()]
)
def test_rarer_notations_of_a_known_value(encode: Callable[[bytes], bytes]) -> None:
    """Base85 and one large number are decoded if a value is known."""
    text = encode(AWKWARD.encode()).decode()
    assert text not in Masker([KNOWN])(f"it is {text} here")


def test_a_shape_is_found_one_character_at_a_time() -> None:
    """A list of a key's characters is the key; a list of digits is a list of digits."""
    assert Masker()(str(list(SHAPED))) == "['<encoded_secret>']"
    digits = str([1, 0] * 16)
    assert Masker()(digits) == digits


@pytest.mark.parametrize("outer", NESTED)
@pytest.mark.parametrize("inner", NESTED)
def test_two_stages(outer: str, inner: str) -> None:
    """Any stage within any other, the same one twice included."""
    for value in (SHAPED, AWKWARD):
        text = f"said: {STAGES[outer](STAGES[inner](value))} end"
        masked = Masker([KNOWN])(text)
        assert masked != text
        assert STAGES[inner](value) not in masked
        assert not _readable(value, masked)


@pytest.mark.parametrize("seed", range(20))
def test_three_stages(seed: int) -> None:
    """Three stages in an order that is drawn."""
    drawn = random.Random(seed)
    text = SHAPED
    for stage in drawn.choices(NESTED, k=3):
        text = STAGES[stage](text)
    masked = Masker()(text)
    assert "api_key" in masked or "<encoded_secret>" in masked
    assert SHAPED not in masked


def _readable(value: str, text: str) -> bool:
    """Look for a value in a text after each way of decoding that this test can do itself."""
    forms = {value, quote(value, safe=""), json.dumps(value)[1:-1], html.escape(value)}
    forms |= {_base64(value.encode())[:-4], value.encode().hex(), repr(value)[1:-1]}
    return any(form in text for form in forms)


def test_the_same_word_twice_is_masked_twice() -> None:
    """A second copy, in the same or in another encoding, is masked like the first."""
    words = [STAGES[name](SHAPED) for name in ("base64", "base64", "hex", "url", "base64")]
    masked = Masker()(" ".join(words))
    assert not [word for word in words if word in masked]
    assert masked.count("<encoded_secret>") == 4


def test_words_on_lines_of_their_own() -> None:
    """Consecutive lines of base64 are read both as one text and as several, however long."""
    encodings = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1")
    for first, second in product(encodings, repeat=2):
        lines = [b64encode(AWKWARD.encode(each)).decode() for each in (first, second)]
        many = lines * (_LONG_WORD // len("".join(lines)) + 1)
        texts = ["\n".join(lines), "\r\n  ".join(lines), "\n".join(many)]
        masked = [Masker([KNOWN])(text) for text in texts]
        assert not [text for text in masked if any(line in text for line in lines)]


def test_neighbours_stay() -> None:
    """Only the secret is replaced: the text around it, including escapes, is unchanged."""
    text = f'{{"a": "x\\n{SHAPED}\\ty", "b": "50%25 &lt; \\u00e9"}}'
    assert Masker()(text) == text.replace(SHAPED, "<api_key …ee33>")


RUNS = {
    **{f"one {c!r}": c for c in ("a", "%", ".", "-", "\\", "&", "<", "=", " ", "\n", "{", "\x1b[")},
    **{f"many {c!r}": c for c in ("%41", "a%0a", "\\n", "&lt;", "a@", "%40", "key-", "token=")},
    **{f"many {c!r}": c for c in ("://a:", "eyJ", "bearer ", "?code=", '"user":', "<td>", "<!--")},
    **{f"one {c!r}": c for c in ("\u200b", "\ufeff", "\U000e0041", "\uff21", "A", "\x15")},
    **{f"many {c!r}": c for c in ("\\\\n", "\\\\ \\", "\\101", "&#65", "curl -u a:")},
}
ALPHABETS = {
    "hex": "0123456789abcdef",
    "dna": "ACGT",
    "base64": string.ascii_letters + string.digits + "+/",
    "base64 for urls": string.ascii_letters + string.digits + "-_",
    "percent": "%0123456789abcdef",
    "digits": string.digits,
    "words": string.ascii_lowercase + " \n",
    "all of a keyboard": string.printable,
    "quoted-printable": "=0123456789ABCDEF\n",
    "numbers of characters": "&#0123456789;",
    "backslashes": "\\0123456789abcdef",
    "tags": "<>/ab",
    "colours": "\x1b[0;31mab",
    "invisible": "\u200b\u00e9ab",
    **{f"drawn {n}": "".join(random.Random(n).sample(string.printable, 9)) for n in range(12)},
}


@pytest.mark.checklist("N9")
@pytest.mark.parametrize("name", [*RUNS, *ALPHABETS])
def test_time_grows_in_line(name: str) -> None:
    """A quarter of a megabyte takes a fraction of a second, and so does a smaller drawing."""
    if name in RUNS:
        text = RUNS[name] * (256 * 1024 // len(RUNS[name]))
    else:
        text = "".join(random.Random(1).choices(ALPHABETS[name], k=96 * 1024))
    # Another process on the same core can only make it slower, so one quick attempt is enough.
    assert any(_seconds(text) < 0.8 for _ in range(3))


def _seconds(text: str) -> float:
    """Return the processor time that masking a text takes, in seconds."""
    begun = time.thread_time()
    Masker([KNOWN])(text)
    mask_people(text)
    return time.thread_time() - begun


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_in_a_long_text(stage: str) -> None:
    """Text too long to be read again as a whole hides no more than short text."""
    drawn = random.Random(stage)
    noise = ALPHABETS[drawn.choice(("all of a keyboard", "words", "tags"))]
    before, after = ("".join(drawn.choices(noise, k=n)) for n in (5000, 3000))
    for value in (SHAPED, AWKWARD):
        text = STAGES[stage](value)
        masked = Masker([KNOWN])(f"{before}\n{text}\n{after}")
        assert text not in masked
        assert not _readable(value, masked)


def test_a_bomb_is_bounded() -> None:
    """A small word that unpacks to far too much is skipped, and secrets next to it are found."""
    bomb = _base64(gzip.compress(b"\0" * 20_000_000, 9) * 10)
    begun = time.thread_time()
    assert Masker()(f"{bomb} {SHAPED}").endswith("<api_key …ee33>")
    assert time.thread_time() - begun < 5.0


def test_nesting_ends() -> None:
    """Values nested deeper than the walk goes are left alone and don't stop it."""
    text = SHAPED
    for _ in range(DEPTH + 3):
        text = json.dumps(text)
    assert SHAPED not in Masker()(text)
    for _ in range(DEPTH + 3):
        text = _base64(text.encode())
    assert Masker()(text)


BODIES = {
    "json": lambda n, v: json.dumps({"data": {n: v}}),
    "json in json": lambda n, v: json.dumps({"data": json.dumps({n: v})}),
    "a form": lambda n, v: urlencode({"a": "b", n: v, "c": "d"}),
    "yaml": lambda n, v: f"a: b\n{n}: {v}\nc: d\n",
    "xml": lambda n, v: f"<r><{n}>{v}</{n}></r>",
    "torn json": lambda n, v: json.dumps({"a": 1, n: v})[:-2],
    "python": lambda n, v: repr({n: v}),
}


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "refresh_token", "client_secret", "application_key"),
        *("code_verifier", "api_key", "id_token"),
    ],
)
def test_fields_of_bodies(name: str, shape: str) -> None:
    """A secret field is masked by its name in each notation of a body."""
    assert "canary" not in redact_body(BODIES[shape](name, "canary-without-a-shape"))


@pytest.mark.parametrize("name", ["invalid_grant", "invalid request", "NOT_FOUND", "404"])
def test_the_code_of_an_error_stays(name: str) -> None:
    """`code` can also be an error's name; a redirect's code is not a word."""
    assert name in redact_body(json.dumps({"errors": [{"code": name}]}))
    assert "canary" not in redact_body(json.dumps({"code": "canary-code-4711"}))


@pytest.mark.parametrize("before", range(65_000, 65_560, 20))
def test_a_body_is_masked_before_it_is_cut(before: int) -> None:
    """Wherever the cut falls, no part of a token is left at the end of the record."""
    for text in (
        json.dumps({"padding": "x" * before, "refresh_token": "canary-" * 9}),
        "x" * before + ' {"refresh_token": "' + "canary-" * 9 + '", "a": "' + "y" * 300_000,
        "x" * before + f" {SHAPED} " + "y" * 100,
    ):
        kept = redact_body(text, longest=65_536)
        assert len(kept) <= 65_536
        assert "canary" not in kept
        assert SHAPED[:12] not in kept
