"""Replace secrets in text that is kept or shown, by field name, by value and by shape."""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

SECRET_FIELDS: Final = frozenset(
    {
        "access_token",
        "api_key",
        "client_secret",
        "code_verifier",
        "dd-api-key",
        "dd-application-key",
        "id_token",
        "refresh_token",
    }
)
_PLAIN_FIELDS: Final = {re.sub(r"[^a-z]", "", name): name for name in SECRET_FIELDS}
_QUOTED_FIELD: Final = re.compile(
    rf"""(["'](?:{"|".join(sorted(SECRET_FIELDS))}|key)["']\s*:\s*)(["'])(?:(?!\2)[^\\]|\\.)*\2?"""
)
_FORM_FIELD: Final = re.compile(rf"\b({'|'.join(sorted(SECRET_FIELDS))})=(?!<)[^&\s\"\\]+")
_SHAPES: Final = (
    (re.compile(r"sandbox-key-[0-9a-f]{16}([0-9a-f]{4})"), r"<api_key …\1>"),
    (re.compile(r"sandbox-(secret|code|access|refresh)-[\w-]+"), r"<sandbox_\1>"),
    (re.compile(r"(?<![0-9a-zA-Z-])[0-9a-f]{28}([0-9a-f]{4})(?![0-9a-zA-Z-])"), r"<api_key …\1>"),
    (re.compile(r"(?<![0-9a-zA-Z-])[0-9a-f]{40}(?![0-9a-zA-Z-])"), "<application_key>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!<)[\w.~+/=-]{8,}"), r"\1 <credential>"),
)
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{40,}")
LONG_WORD: Final = 4096


class Masker:
    """Mask known secrets however they are encoded, then whatever has the shape of one.

    Prepared once for many texts. The shapes are Datadog's API keys (32 hex) and application keys
    (40 hex), credentials of an `Authorization` header, and everything the sandbox mints; base64 of
    any of them counts as well. `keep`
    names texts that have such a shape and are none, such as the ids of widgets.
    """

    def __init__(self, secrets: Iterable[Secret] = (), *, keep: Collection[str] = ()) -> None:
        forms = {form: str(s) for s in secrets for form in _encodings(s.reveal())}
        self.forms = dict(sorted(forms.items(), key=lambda item: -len(item[0])))
        self._keep = frozenset(keep)

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by what it may show."""
        for form, shown in self.forms.items():
            text = _replaced(text, form, shown=shown)
        for shape, shown in _SHAPES:
            text = shape.sub(partial(self._shown, shown=shown), text)
        text = _BASE64.sub(_without_encoded, text)
        return text.encode("utf-8", "replace").decode()

    def concerns(self, text: str) -> bool:
        """Return whether there is anything to mask: cheap to ask of a large text first."""
        folded = text.lower()
        return (
            any(form in text or ("%" in form and form.lower() in folded) for form in self.forms)
            or any(shape.search(text) for shape, _ in _SHAPES)
            or any(_holds_shape(word[0]) for word in _BASE64.finditer(text))
        )

    def _shown(self, found: re.Match[str], *, shown: str) -> str:
        return found[0] if found[0] in self._keep else found.expand(shown)


def base64_texts(word: str) -> Iterator[str]:
    """Yield what a word of base64 says, read from each of its first four characters.

    What stands before it, such as a name and an underscore, may have become part of the word.
    """
    plain = word.translate(str.maketrans("-_", "+/"))
    for start in range(4 if len(plain) < LONG_WORD else 1):
        piece = plain[start:]
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        yield b64decode(piece + "=" * (-len(piece) % 4)).decode("latin-1")


def _holds_shape(word: str) -> bool:
    return any(shape.search(text) for text in base64_texts(word) for shape, _ in _SHAPES)


def _without_encoded(word: re.Match[str]) -> str:
    return "<encoded_secret>" if _holds_shape(word[0]) else word[0]


def redact(text: str, *, secrets: Iterable[Secret] = ()) -> str:
    """Mask a text once, as `Masker` does."""
    return Masker(secrets)(text)


def redact_body(text: str, *, secrets: Iterable[Secret] = ()) -> str:
    """Mask a response body: its secret fields, in JSON (whole or torn) or a form, then any text."""
    try:
        text = json.dumps(_without_secrets(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _QUOTED_FIELD.sub(r'\1"<redacted>"', text)
    return redact(_FORM_FIELD.sub(r"\1=<\1>", text), secrets=secrets)


def issued_secrets(text: str) -> tuple[Secret, ...]:
    """Return the secrets that a JSON answer issues, so that copies of them can be masked, too."""
    try:
        return tuple(_issued(json.loads(text)))
    except (ValueError, RecursionError):
        return ()


def _issued(value: Any) -> Iterator[Secret]:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(value, list):
        for item in value:
            yield from _issued(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            plain = re.sub(r"[^a-z]", "", name.lower())
            if isinstance(item, str) and plain in _PLAIN_FIELDS:
                yield Secret(item, label=_PLAIN_FIELDS[plain])
            yield from _issued(item)


def outline(text: str) -> str:
    """Return the shape of a JSON text: field names and counts, and none of its values.

    A key that is no name, such as a host or a tag, is a customer's value and is counted.
    """
    try:
        return json.dumps(_shape(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"({len(text)} characters)"


def is_field_name(name: str) -> bool:
    """Tell whether a key reads like a field's name, and not like a value that became a key."""
    return bool(_FIELD_NAME.fullmatch(name))


def _shape(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(value, dict):
        named = {name: _shape(item) for name, item in value.items() if is_field_name(name)}
        others = len(value) - len(named)
        return named | ({"…": f"{others} more"} if others else {})
    if isinstance(value, list):
        count = f"{len(value)} item{'' if len(value) == 1 else 's'}"
        return [count, _shape(value[0])] if value else [count]
    return type(value).__name__


@lru_cache(maxsize=32)
def _encodings(value: str) -> tuple[str, ...]:
    """Return the ways a value can stand in a text, longest first; nothing for trivial values."""
    if len(value) < 4:  # noqa: PLR2004 - masking every "a" would only garble the text
        return ()
    percent = {quote(value), quote(value, safe=""), quote_plus(value)}
    forms = {value, value.encode("utf-8", "replace").hex(), html.escape(value)}
    forms |= percent | {*map(quote, percent)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value)[1:-1].replace("/", "\\/")}
    forms |= {json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    forms |= set(_base64(value.encode("utf-8", "replace")))
    return tuple(sorted(filter(None, forms), key=len, reverse=True))


def _replaced(text: str, form: str, *, shown: str) -> str:
    """Replace one form; percent escapes are the same in either case (RFC 3986 section 2.1)."""
    if "%" not in form:
        return text.replace(form, shown)
    if "%" not in text:
        return text
    return re.sub(re.escape(form), lambda _: shown, text, flags=re.IGNORECASE)


def _base64(value: bytes) -> Iterator[str]:
    """Yield what every base64 text holds that encodes a longer text with this value in it.

    Three places to begin give three alphabets' worth of text; the characters at both ends depend
    on the neighbours and are left out (RFC 4648 section 4).
    """
    for before in range(3):
        whole = b64encode(b"x" * before + value).rstrip(b"=").decode("ascii")
        first = -(-before * 4 // 3)
        last = (before + len(value)) * 4 // 3
        inner = whole[first:last]
        if len(inner) >= 8:  # noqa: PLR2004 - shorter ones are in any text
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _field(name, item) for name, item in value.items()}


def _field(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    plain = re.sub(r"[^a-z]", "", name.lower())
    if plain in _PLAIN_FIELDS and value:
        return f"<{_PLAIN_FIELDS[plain]}>"
    if name == "key" and isinstance(value, str) and len(value) >= 32:  # noqa: PLR2004 - a key's length
        return str(Secret(value, label="api_key", show_last_four=True))
    return _without_secrets(value)
