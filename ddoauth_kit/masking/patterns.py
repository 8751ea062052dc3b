"""Define what a secret looks like, in one table of names, prefixes, shapes and places.

Masking and scanning use the same table, so both find the same secrets. Every pattern takes linear
time: each repetition is bounded, or can begin at only one place in a run.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ddoauth_kit.masking.runs import CharacterClass, any_of, lines_with, one_byte_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# OAuth's and Datadog's own fields that always contain a secret.
SECRET_FIELDS: Final = frozenset(
    {
        "access_token",
        "api_key",
        "app_key",
        "application_key",
        "client_secret",
        "code_verifier",
        "dd-api-key",
        "dd-application-key",
        "id_token",
        "refresh_token",
    }
)
# Datadog's prefixes; add new ones here.
PREFIXES: Final = ("ddpat", "ddsat", "ddapp")
_LABELS: Final = {re.sub(r"[^a-z]", "", name): name for name in sorted(SECRET_FIELDS)} | {
    "authtoken": "auth_token",
    "apitoken": "api_token",
    "bearertoken": "bearer_token",
    "privatekey": "private_key",
    "secretkey": "secret_key",
    "secretaccesskey": "secret_access_key",
    "clienttoken": "client_token",
    "verifier": "code_verifier",
    "password": "password",
    "passwd": "password",
    "passphrase": "password",
    "ddpat": "access_token",
}
_ENDINGS: Final = sorted(_LABELS.items(), key=lambda item: -len(item[0]))
_PLAIN_LABELS: Final = {"secret": "secret", "token": "token"}
_SITE_SUFFIX: Final = re.compile(
    r"(?:_(?:US|EU|AP|UK|GOV)\d*(?:_?FED)?\d*)?(?:__\w+)?$", re.IGNORECASE
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
OURS: Final = re.compile(
    r"DDOAUTH_(?:PUBLISHED_)?"
    r"(?:CLIENT_SECRET|REFRESH_TOKEN|ACCESS_TOKEN|API_KEY|APP_KEY|GRANT)(?:_|$)",
    re.IGNORECASE,
)
ABOUT: Final = frozenset(
    {
        *("kind", "type", "name", "id", "url", "uri", "file", "path", "dir", "folder", "sock"),
        *("endpoint", "host", "port", "region", "expiry", "expires", "expiration", "length"),
        *("limit", "count", "size", "ttl", "hint", "lifetime", "parallelism", "label", "scope"),
    }
)
_PLACEHOLDER: Final = re.compile(
    r"(?i)^(?:<.*|&lt;[\w ]{1,60}&gt;|\$.*|%[({].*|\{.*|\[.*|\*+|.*(?:\.\.\.|\u2026).*|x+|"
    r"n/?a|none|null|true|false|"
    r"(?:your|my|an?|the|some|insert|replace|enter|todo|change|example|placeholder|redacted|masked|"
    r"dummy)(?:$|[^a-z0-9].*|me$|_?here$)|.*[-_](?:here|goes|placeholder|example)|.*_placeholder|"
    r"pass(?:word|wd|phrase)?|passwd|secret|token|string|user(?:name)?|changeme|masked|redacted)$"
)
_WORDLIKE: Final = re.compile(r"[a-z_. ]+|[A-Z_]+|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
SHORTEST_FIELD: Final = 6
_AFTER_NAME: Final = frozenset(" \t\"'(=:")
_TOKEN_LENGTH: Final = 16
_LONGER_THAN_WORDS: Final = 16

# The text before a number of 32 or 40 hex digits that makes it an id, a checksum or a commit.
_ID_NAME: Final = (
    r"commits?|sha-?1?|rev(?:ision)?s?|ref|md5(?:sum)?|checksum|digest|etag|hash|fingerprint|"
    r"(?:git|head|base|merge)[_-]?(?:commit|sha|rev|hash)|(?:commit|source|content)[_-]?(?:id|sha|hash)|"
    r"(?:trace|span|run|build|model|cell|notebook|block|job|task|experiment|execution|request|"
    r"event|monitor|dashboard|checkpoint|snapshot|artifact|output)[_-]?id|uuid|guid|parent|tree|HEAD"
)
_ID_URL: Final = re.compile(
    r"/(?:commits?|tree|blob|raw|blame|compare|archive|avatar)/\Z"
    r"|gist\.github(?:usercontent)?\.com/[\w-]{1,60}/\Z"
    r"|(?:githubusercontent\.com|mybinder\.org/v2/gh)/[\w.-]{1,60}/[\w.-]{1,80}/\Z"
    r"|(?:uses:[ \t\"\']{0,4}|git\+|github\.com/)[^\s@]{1,150}@\Z|\.git@\Z"
    r"|\b[0-9a-f]{7,40}\.{2,3}\Z"
    r"|/compare/[\w./@+-]{1,120}\.{2,3}\Z"
    r"|\.(?:conda|tar\.bz2)#\Z"
    r"|\b(?:altair-viz|vega-embed|data)-\Z"
    r"|_anim_\w{1,24}_\Z"
    r"|\b(?:map|tile_layer|marker|popup|html|icon|feature_group|geo_json|layer_control|circle|"
    r"circle_marker|poly_line|choropleth|color_map|macro_element|figure|heat_map|marker_cluster|"
    r"legend)_\Z"
)
_NAME_BACKWARDS: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_INTAKE: Final = re.compile(r"/input/\Z")
_ID_WORD: Final = re.compile(rf"(?i)(?:.*[_.-])?(?:{_ID_NAME})\Z")


@dataclass(frozen=True, slots=True)
class Find:
    """A secret's position in text, its placeholder, and what it looks like."""

    begin: int
    end: int
    shown: str
    kind: str
    known: bool = False
    rank: int = 0

    def at(self, begin: int, end: int) -> Find:
        """Return the same match at another position."""
        return Find(begin, end, self.shown, self.kind, self.known, self.rank)


@dataclass(frozen=True, slots=True)
class Shape:
    """One row of the table.

    `pattern` has a group named `value` for the secret itself. The pattern is searched for in lines
    that contain one of `hints`, in lower case, and in the lines up to `beyond` characters after
    that hint. Only shapes of hex digits have no hints. `counts` determines whether a match counts,
    based on the text around it.
    """

    kind: str
    shown: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    counts: Callable[[re.Match[str]], bool] | None = None
    joined: bool = False
    beyond: int = 0

    def finds(self, text: str, folded: str) -> Iterator[Find]:
        """Yield the shape's matches in a text; `folded` is the text in lower case."""
        if any_of(self.hints, folded):
            for begin, end in lines_with(_any_hint(self.hints), folded, after=self.beyond):
                for found in self.pattern.finditer(text, begin, end):
                    yield from self._counted(found)

    def find_at(self, text: str, begin: int) -> Iterator[Find]:
        """Yield a match if the shape begins at this place in a text."""
        found = self.pattern.match(text, begin)
        if found is not None:
            yield from self._counted(found)

    def _counted(self, found: re.Match[str]) -> Iterator[Find]:
        value = found["value"]
        if not is_repeated(value) and (self.counts is None or self.counts(found)):
            shown = self.shown.replace("{tail}", value[-4:])
            yield Find(*found.span("value"), shown, self.kind)


@lru_cache(maxsize=64)
def _any_hint(hints: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, hints)))


def is_repeated(value: str) -> bool:
    """Return whether a value repeats a single character, and is therefore a placeholder."""
    last = value[-2:].lower()
    if last[:1] != last[1:] and len(last) > 1 and "_" not in last:
        return False  # most values end here
    letters = (value.rpartition("_")[2] or value).lower()
    return letters != "" and not letters.strip(letters[0])


def is_placeholder(value: str) -> bool:
    """Return whether a value only marks where a secret belongs."""
    return is_repeated(value) or bool(_PLACEHOLDER.match(value[:200]))


def is_id_name(name: str) -> bool:
    """Return whether a field or variable with this name contains a commit, checksum or run id."""
    return bool(_ID_WORD.match(_CAMEL.sub("_", name[:100])))


@lru_cache(maxsize=4096)
def field_label(name: str) -> str:
    """Return what a field or variable with this name contains, such as `client_secret`, or ""."""
    if OURS.match(name):
        name = name[len("DDOAUTH_") :]
    words = words_of(name)
    if not words or words[-1] in ABOUT:
        return "grant" if words[:1] == ["grant"] and name[:1].isupper() and "_" in name else ""
    plain = "".join(words)
    for ending, label in _ENDINGS:
        if plain.endswith(ending):
            return label
    if words[0] == "grant" and name.startswith("GRANT"):
        return "grant"
    return ""


def words_of(name: str) -> list[str]:
    """Return the words in the name of a field or variable, in lower case."""
    name = _SITE_SUFFIX.sub("", name[:120])
    return [word for word in re.split(r"[^A-Za-z]+", _CAMEL.sub("_", name).lower()) if word]


def _is_key(found: re.Match[str]) -> bool:
    """Count a number as a key, but not an id or commit in its usual place or a path's folder."""
    begin, end = found.span("value")
    text, value = found.string, found["value"]
    last = text[begin - 1 : begin] if begin else ""
    if not last or last in _AFTER_NAME:
        return not last or not _is_named_id(text[max(0, begin - 80) : begin])
    before = text[max(0, begin - 240) : begin]
    if last == "." and before[-2:-1].isdigit() and value.isdigit():
        return False  # the decimal places of a number
    if last not in "/\\":
        return not _ID_URL.search(before)
    if _INTAKE.search(before):
        return True
    folder = text[end : end + 1] == last and "://" not in before.split()[-1]
    return not folder and not _ID_URL.search(before)


def _is_named_id(before: str) -> bool:
    """Return whether text ends in the name of an id, such as `"commit": "` or `rev: `."""
    name = before.rstrip(" \t\"'(").rstrip("=:>").rstrip(" \t\"']")
    found = _NAME_BACKWARDS.match(name[::-1])
    return found is not None and is_id_name(found[0][::-1])


def _is_credential(found: re.Match[str]) -> bool:
    value = found["value"].rstrip(".,;")
    if "authorization" in found.string[max(0, found.start() - 40) : found.start()].lower():
        return len(value) >= SHORTEST_FIELD
    mixed = not value.islower() and not value.isupper() and not value.istitle()
    has_digit = any(c.isdigit() for c in value)
    dashed = bool(re.search(r"[-_.+/~=]", value)) and "auth" not in value.lower()
    if found[0][:6].lower() == "bearer" and len(value) >= _LONGER_THAN_WORDS:
        return True
    return (has_digit and len(value) >= 8) or (  # noqa: PLR2004 - words are shorter or without
        len(value) >= 12 and (mixed or dashed)  # noqa: PLR2004 - as above
    )


def _is_password(found: re.Match[str]) -> bool:
    value = found["value"]
    return not is_placeholder(value) and not (value.isdigit() and len(value) <= 5)  # noqa: PLR2004 - a port or a user id


def _is_curl(found: re.Match[str]) -> bool:
    if not _is_password(found):
        return False
    before = found.string[max(0, found.start() - 400) : found.start()].lower()
    _, curl, command = before.rpartition("curl")
    return curl != "" and "|" not in command and ";" not in command


_REDIRECT: Final = re.compile(r"[?&](?:state|domain|site|dd_oid|client_id|code)=")


def _is_redirect(found: re.Match[str]) -> bool:
    """Count a redirect's `code` and `state` as secrets, but not the state in a postal address."""
    value, text = found["value"], found.string
    if is_placeholder(value):
        return False
    random = len(value) >= _TOKEN_LENGTH and any(c.isdigit() for c in value)
    around = (
        text[max(0, found.start() - 1500) : found.start()] + text[found.end() : found.end() + 1500]
    )
    return random or (bool(_REDIRECT.search(around)) and len(value) >= SHORTEST_FIELD)


def counts_as_value(value: str, *, name: str = "", quoted: bool, sure: bool = False) -> bool:
    """Return whether the text after a secret's name is the secret itself, not code or prose."""
    bare = value.strip()
    if len(bare) < SHORTEST_FIELD or is_placeholder(bare) or any(c.isspace() for c in bare):
        return False
    if bare.lower() == name.lower() or "://" in bare or bare[:1] in "/~<":
        return False
    if quoted or sure:
        return sure or not re.fullmatch(r"[a-z_.]+|[A-Z_]+", bare)
    if _WORDLIKE.fullmatch(bare):
        return False
    return any(c.isdigit() for c in bare) or bool(re.search(r"[-+/=~!@#%^*]", bare))


_NAME: Final = r"(?<![A-Za-z0-9_.-])-{0,2}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,100}+)"
_FIELDS: Final = re.compile(
    rf"{_NAME}[\"'\]]{{0,2}}+[ \t]{{0,8}}+(?P<sep>=>|:=|[:=]|(?<=[\"']),)[ \t]{{0,8}}"
    r"(?:[bruf]{0,2}\"(?P<double>(?:[^\"\\\n]|\\.){1,4096})"
    r"|[bruf]{0,2}'(?P<single>(?:[^'\\\n]|\\.){1,4096})"
    r"|(?P<bare>[^\s,;&\"'<>(){}\[\]\\=]{1,4096}=*)(?P<after>[(\[]?))"
)
_OPTIONS: Final = re.compile(
    r"(?<![\w-])--(?P<name>[A-Za-z][A-Za-z0-9-]{1,40})[ \t]{1,4}[\"']?"
    r"(?P<bare>[^\s\"'<>|;&$]{1,4096})"
)
_ELEMENTS: Final = re.compile(
    r"<(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,60})>\s{0,8}(?P<bare>[^<>\s&=][^<>\s]{0,4095})\s{0,8}"
    r"</(?P=name)"
)
_CELLS: Final = re.compile(
    r"<t[hd]\b[^<>]{0,200}>\s{0,40}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,60})\s{0,40}</t[hd]>\s{0,40}"
    r"<td\b[^<>]{0,200}>\s{0,40}(?P<bare>[^<>\s&=][^<>\s]{0,4095})\s{0,40}</"
)
_FIELD_HINTS: Final = _any_hint(
    ("token", "secret", "key", "verifier", "pass", "grant", "_pat", "-pat", "ddpat")
)
_ROW: Final = 4800


def field_finds(text: str, folded: str) -> Iterator[Find]:
    """Yield values with telltale names in JSON, YAML, XML, forms, code, tables and options.

    `folded` is the text in lower case.
    """
    for begin, end in lines_with(_FIELD_HINTS, folded):
        for found in _FIELDS.finditer(text, begin, end):
            yield from _field(found)
        if "--" in text:
            for found in _OPTIONS.finditer(text, begin, end):
                yield from _marked_up(found)
    if "</" in text:
        for begin, end in lines_with(_FIELD_HINTS, folded, before=300, after=_ROW):
            for pattern in (_ELEMENTS, _CELLS):
                for found in pattern.finditer(text, begin, end):
                    yield from _marked_up(found)


def _field(found: re.Match[str]) -> Iterator[Find]:
    name = found["name"]
    label = field_label(name)
    group = "double" if found["double"] else "single" if found["single"] else "bare"
    quoted = group != "bare"
    if not label:
        label = _plain_label(name, found[group])
    if not label or (found["sep"] == "," and not quoted) or found["after"]:
        return
    variable = not quoted and found["sep"] == "=" and name.isupper() and _alone(found)
    if counts_as_value(found[group], name=name, quoted=quoted, sure=variable):
        yield Find(*found.span(group), f"<{label}>", f"a value named {label}")


def _marked_up(found: re.Match[str]) -> Iterator[Find]:
    label = field_label(found["name"])
    if label and counts_as_value(found["bare"], name=found["name"], quoted=True):
        yield Find(*found.span("bare"), f"<{label}>", f"a value named {label}")


def _plain_label(name: str, value: str) -> str:
    """Return a label for a bare `token` or `secret`, but only if the value looks random."""
    label = _PLAIN_LABELS.get(name.lower(), "")
    if not label:
        return ""
    random = len(value) >= _TOKEN_LENGTH and any(c.isdigit() for c in value)
    return label if random and any(c.isalpha() for c in value) else ""


def _alone(found: re.Match[str]) -> bool:
    """Return whether `NAME=value` is a whole line, as in a .env file or a shell script."""
    before = found.string[max(0, found.start() - 40) : found.start()].rpartition("\n")[2]
    after = found.string[found.end() : found.end() + 2]
    return before.strip() in {"", "export", "set", "ENV", "-e", "setx", "-"} and after[:1] in {
        "",
        "\n",
        "\r",
        " ",
    }


MINTED: Final = Shape(
    "credential of the sandbox",
    "<api_key …{tail}>",
    re.compile(r"(?P<value>sandbox-key-[0-9a-f]{20})"),
    ("sandbox-key-",),
    joined=True,
)
_MINTED_OTHERS: Final = tuple(
    Shape(
        "credential of the sandbox",
        f"<sandbox_{kind}>",
        re.compile(rf"(?P<value>sandbox-{kind}-(?:[0-9a-f]{{40}}|(?!…)[\w-]{{1,200}}))"),
        (f"sandbox-{kind}-",),
        joined=True,
    )
    for kind in ("secret", "code", "access", "refresh")
)
SHAPES: Final = (
    MINTED,
    *_MINTED_OTHERS,
    Shape(
        "Datadog token",
        "<datadog_token>",
        re.compile(rf"(?P<value>(?<![A-Za-z0-9])(?:{'|'.join(PREFIXES)})_[A-Za-z0-9_-]{{16,200}})"),
        tuple(f"{prefix}_" for prefix in PREFIXES),
        joined=True,
    ),
    Shape(
        "client token (pub and 32 hex digits)",
        "<client_token>",
        re.compile(r"(?<![A-Za-z0-9])(?P<value>pub[0-9a-fA-F]{32})(?![0-9A-Za-z])"),
        ("pub",),
    ),
    Shape(
        "JSON Web Token",
        "<json_web_token>",
        re.compile(
            r"(?<![A-Za-z0-9_-])(?P<value>eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,2048})"
        ),
        ("eyj",),
    ),
    Shape(
        "API key (32 hex digits)",
        "<api_key …{tail}>",
        re.compile(r"(?<![0-9A-Za-z])(?P<value>[0-9a-fA-F]{32})(?![0-9A-Za-z])"),
        counts=_is_key,
    ),
    Shape(
        "application key (40 hex digits)",
        "<application_key>",
        re.compile(r"(?<![0-9A-Za-z])(?P<value>[0-9a-fA-F]{40})(?![0-9A-Za-z])"),
        counts=_is_key,
    ),
    Shape(
        "credential of a header",
        "<credential>",
        re.compile(r"(?i)\b(?:bearer|basic)[ \t\"']{1,4}(?P<value>[\w.~+/-]{6,8192}=*)"),
        ("bearer", "basic"),
        _is_credential,
    ),
    Shape(
        "password of a URL",
        "<password>",
        re.compile(r"://[^\s/?#@:\"'<>\\]{0,256}:(?P<value>[^\s/?#@\"'<>\\]{1,512})@(?=[\w.\[-])"),
        ("://",),
        _is_password,
    ),
    Shape(
        "user part of a URL",
        "<credential>",
        re.compile(r"://(?P<value>(?=[^\s/@]{0,200}\d)[A-Za-z0-9_.~-]{20,200})@(?=[\w.\[-])"),
        ("://",),
    ),
    Shape(
        "password of a curl command",
        "<password>",
        re.compile(
            r"(?<=\s)(?:-u|--user|-U|--proxy-user)[ \t=]{0,4}[\"']?"
            r"[^\s:\"']{1,200}:(?P<value>[^\s\"']{3,512})"
        ),
        ("curl",),
        _is_curl,
        beyond=1200,
    ),
    Shape(
        "code of a redirect",
        "<code>",
        re.compile(r"[?&#]code=(?P<value>[^\s&\"'<>#\\]{4,4096})"),
        ("code=",),
        _is_redirect,
    ),
    Shape(
        "state of a redirect",
        "<state>",
        re.compile(r"[?&#]state=(?P<value>[^\s&\"'<>#\\]{4,4096})"),
        ("state=",),
        _is_redirect,
    ),
)

_HEX_SHAPES: Final = tuple(shape for shape in SHAPES if not shape.hints)
_HINTED_SHAPES: Final = tuple(shape for shape in SHAPES if shape.hints)
_HEX: Final = CharacterClass(string.hexdigits)
_SHORTEST_HEX: Final = 32
_ASCII_UPPER: Final = re.compile("[A-Z]+")


def finds(text: str, *, joined: bool = False) -> Iterator[Find]:
    """Yield everything in text that looks like a secret, without decoding anything.

    With `joined`, only secrets with a known prefix are found, because text without spaces has no
    word boundaries.
    """
    folded = text.lower()
    if len(folded) != len(text):
        folded = _ASCII_UPPER.sub(lambda found: found[0].lower(), text)
    for shape in _HINTED_SHAPES:
        if shape.joined or not joined:
            yield from shape.finds(text, folded)
    if joined:
        return
    for begin, _ in _HEX.runs(one_byte_each(text), _SHORTEST_HEX):
        for shape in _HEX_SHAPES:
            yield from shape.find_at(text, begin)
    yield from field_finds(text, folded)
