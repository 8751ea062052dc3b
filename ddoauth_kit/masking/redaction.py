"""Replace secrets in text to be stored or shown; find them by field name, value and shape."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.masking.layers import INLINE
from ddoauth_kit.masking.patterns import SECRET_FIELDS, Find, field_label
from ddoauth_kit.masking.walk import Walk, known_forms
from ddoauth_kit.printable import counted
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_BODY_FIELDS: Final = sorted({*SECRET_FIELDS, "token", "password"})
_QUOTED_FIELD: Final = re.compile(
    rf"""(["'](?:{"|".join(_BODY_FIELDS)}|key)["']\s{{0,8}}:\s{{0,8}})(["'])(?:(?!\2)[^\\]|\\.)*\2?"""
)
_FORM_FIELD: Final = re.compile(
    rf"(?<![\w-])({'|'.join(_BODY_FIELDS)}|code)(=)(?!<)[^&\s\"'\\<]+", re.IGNORECASE
)
_LINE_FIELD: Final = re.compile(
    rf"^([ \t-]{{0,40}})({'|'.join(_BODY_FIELDS)})(:[ \t]{{1,8}})(?!<)\S[^\r\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_ELEMENT: Final = re.compile(
    rf"<({'|'.join(_BODY_FIELDS)}|code)([^<>]{{0,200}}>)[^<]+(?=</)", re.IGNORECASE
)
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
# Names of errors, as opposed to a redirect's codes.
_CODE_WORD: Final = re.compile(r"[a-z]+(?:[_ .][a-z]+)*|[A-Z]+(?:_[A-Z]+)*|[\d.]{1,6}")
_KEY_LENGTH: Final = 32
_DEEPEST: Final = 3
_REMEMBERED: Final = 512
# A body that is many times longer than the stored part is masked without being parsed.
_MANY: Final = 4
_REACH: Final = 8192


class Masker:
    """Mask known secrets in any encoding, and anything that looks like a secret.

    Create one instance and reuse it. `masking.patterns` defines what looks like a secret, and
    `masking.walk` how deep to look. `keep` contains values that the user marked as not secret.
    """

    def __init__(self, secrets: Iterable[Secret] = (), *, keep: Collection[str] = ()) -> None:
        self.secrets = tuple(secrets)
        self.walk = Walk(self.secrets, keep=frozenset(keep))
        self._done: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by a placeholder."""
        if text not in self._done:
            if len(self._done) >= _REMEMBERED:
                self._done.clear()
            masked = replaced(text, self.walk.finds(text))
            self._done[text] = masked.encode("utf-8", "replace").decode()
        return self._done[text]


class QuickMasker:
    """Mask known values as they are, and as they appear in URLs, forms, code, HTML and JSON."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self.secrets = tuple(secrets)
        self._forms = known_forms(self.secrets)

    def __call__(self, text: str) -> str:
        """Return the text with each known value replaced by a placeholder."""
        for form, shown in self._forms:
            if form in text:
                text = text.replace(form, shown)
        return text


def replaced(text: str, found: Iterable[Find]) -> str:
    """Return text with each match replaced by a placeholder; keep the tags inside a match."""
    parts, position = [], 0
    for each in found:
        cut = text[each.begin : each.end]
        parts += [text[position : each.begin], each.shown]
        if "<" in cut:
            parts += INLINE.findall(cut)
        position = each.end
    return "".join([*parts, text[position:]])


def redact(text: str, *, secrets: Iterable[Secret] = ()) -> str:
    """Mask text once, without creating a reusable `Masker`."""
    masked = replaced(text, Walk(tuple(secrets)).finds(text))
    return masked.encode("utf-8", "replace").decode()


def redact_body(
    text: str,
    *,
    secrets: Iterable[Secret] = (),
    masker: Masker | None = None,
    longest: int | None = None,
) -> str:
    """Mask a body: its secret fields in JSON (even truncated), a form, YAML or XML, then all text.

    Copies of such a field's value are masked everywhere in the body. The result is truncated to
    `longest` characters only after masking, so no part of a secret remains at its end. Instead of
    `secrets`, you may pass a `masker` that knows them.
    """
    return masked_body(text, masker or Masker(secrets), longest=longest)[0]


def masked_body(
    text: str, mask: Masker | QuickMasker, *, longest: int | None = None
) -> tuple[str, tuple[Secret, ...]]:
    """Mask a body as `redact_body` does, and return it with the secrets that it issued."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return _cut(_torn(text, mask, longest), longest), ()
    issued = tuple(labelled_secrets(body, _body_label))
    mask = type(mask)((*mask.secrets, *issued)) if issued else mask
    if longest is not None and len(text) > _MANY * longest:
        return _cut(_torn(text, mask, longest), longest), issued
    return _cut(json.dumps(_masked(body, mask, _DEEPEST), ensure_ascii=False), longest), issued


def _cut(text: str, longest: int | None) -> str:
    return text if longest is None else text[:longest]


def _torn(text: str, masker: Masker | QuickMasker, longest: int | None) -> str:
    """Mask text that can't be parsed; if it is long, mask only the part that may be stored."""
    if longest is None or len(text) <= longest + _REACH:
        return masker(_fields(text))
    masked = masker(_fields(text[: longest + _REACH]))
    return masked[: max(0, len(masked) - _REACH)]


def _fields(text: str) -> str:
    text = _FORM_FIELD.sub(_form, _QUOTED_FIELD.sub(_quoted, text))
    return _ELEMENT.sub(_element, _LINE_FIELD.sub(r"\1\2\3<\2>", text))


def issued_secrets(text: str) -> tuple[Secret, ...]:
    """Return the secrets that a JSON response issues, so that copies of them can also be masked."""
    try:
        return tuple(labelled_secrets(json.loads(text), _body_label))
    except (ValueError, RecursionError):
        return ()


def labelled_secrets(value: Any, label: Callable[[str, str], str]) -> Iterator[Secret]:  # noqa: ANN401 - JSON
    """Yield the strings of a JSON value that are secret.

    `label` takes a field's name and its text, and returns the secret's label, or "" for no secret.
    """
    if isinstance(value, list):
        for item in value:
            yield from labelled_secrets(item, label)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and item and (found := label(name, item)):
                yield Secret(item, label=found)
            yield from labelled_secrets(item, label)


def outline(text: str) -> str:
    """Return the structure of a JSON text: field names and counts, but no values.

    Keys that are a customer's values, such as hosts and tags, are only counted.
    """
    try:
        return json.dumps(_shape(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"({counted(len(text), 'character')})"


def is_field_name(name: str) -> bool:
    """Return whether a key looks like a field's name rather than a value used as a key."""
    return bool(_FIELD_NAME.fullmatch(name))


def _shape(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(value, dict):
        named = {name: _shape(item) for name, item in value.items() if is_field_name(name)}
        others = len(value) - len(named)
        return named | ({"…": f"{others} more"} if others else {})
    if isinstance(value, list):
        count = counted(len(value), "item")
        return [count, _shape(value[0])] if value else [count]
    return type(value).__name__


def _masked(value: Any, masker: Masker | QuickMasker, depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value without secrets; don't change field names."""
    if isinstance(value, list):
        return [_masked(item, masker, depth) for item in value]
    if isinstance(value, dict):
        return {
            name if is_field_name(name) else masker(name): _field(name, item, masker, depth)
            for name, item in value.items()
        }
    return _text(value, masker, depth) if isinstance(value, str) else value


def _field(name: str, value: Any, masker: Masker | QuickMasker, depth: int) -> Any:  # noqa: ANN401 - JSON
    label = _body_label(name, value)
    if label and value:
        return f"<{label}>"
    if name == "key" and isinstance(value, str) and len(value) >= _KEY_LENGTH:
        return str(Secret(value, label="api_key", show_last_four=True))
    return _masked(value, masker, depth)


def _text(text: str, masker: Masker | QuickMasker, depth: int) -> str:
    if depth and text[:1] in {"{", "["}:
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return masker(_fields(text))
        masked = _masked(inner, masker, depth - 1)
        return text if masked == inner else json.dumps(masked, ensure_ascii=False)
    return masker(_fields(text) if "=" in text or ":" in text or "<" in text else text)


def _body_label(name: str, value: Any) -> str:  # noqa: ANN401 - JSON
    """Return what a field in a body contains; `code` counts unless it is an error's name."""
    if label := field_label(name):
        return label
    lower = name.lower()
    if lower == "token":
        return lower
    code = lower == "code" and isinstance(value, str) and len(value) >= 8  # noqa: PLR2004 - an error's number is shorter
    return lower if code and not _CODE_WORD.fullmatch(value) else ""


def _quoted(found: re.Match[str]) -> str:
    name = found[1].split(found[1][0])[1].lower()
    value = found[0][len(found[1]) + 1 :].removesuffix(found[2])
    if name == "key" and len(value) < _KEY_LENGTH:
        return found[0]
    return f'{found[1]}"<redacted>"'


def _form(found: re.Match[str]) -> str:
    value = found[0].partition("=")[2]
    word = found[1].lower() == "code" and _CODE_WORD.fullmatch(value)
    return found[0] if word else f"{found[1]}=<{found[1].lower()}>"


def _element(found: re.Match[str]) -> str:
    value = found[0].rpartition(">")[2]
    word = found[1].lower() == "code" and _CODE_WORD.fullmatch(value.strip())
    return found[0] if word or not value.strip() else f"<{found[1]}{found[2]}<{found[1].lower()}>"
