"""Explain an error in full: its cause, how to recognize it, and what to do.

The explanations are in `explanations.json`, grouped in the order of the flow. Codes are stable, but
the wording may change.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_RFC: Final = re.compile(r"RFC (\d+) section ([\d.]+)")
_PUP: Final = re.compile(r"DataDog/pup issue (\d+)")
_SHOWN: Final = 40
# On other systems, file modes don't protect files, so there is no file store.
_STORES: Final = "`file` or `memory`" if os.name == "posix" else "`memory`"
_KINDS: Final = f"`keyring`{',' if os.name == 'posix' else ' or'} {_STORES}"


class HasCode(Protocol):
    """Anything with a code, such as the kit's errors."""

    @property
    def code(self) -> str:
        """Return the code, which doesn't change between versions."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one code, in sentences.

    `cause` starts with the most likely cause. `evidence` says what to look at, and which causes
    can't be told apart. `fix` is the next step that the error's message gives. `sources` has a
    (title, URL) pair for each source, and is empty if the kit's own options are the cause.
    """

    code: str
    cause: str
    evidence: str
    fix: str
    sources: tuple[tuple[str, str], ...]


def explain(error: str | HasCode) -> Explanation:
    """Return the explanation of a code or of an error.

    Raises:
        ValueError: no error has this code.
    """
    code = error if isinstance(error, str) else getattr(error, "code", None)
    known = by_code()
    if isinstance(code, str) and code in known:
        return known[code]
    given = ascii(error[:_SHOWN]) if isinstance(error, str) else f"this {type(error).__name__}"
    raise ValueError(
        f"There is no explanation for {given}: a code consists of lower-case words "
        f"joined by underscores, such as {', '.join(list(known)[:2])} or invalid_grant; "
        "`ddoauth explain --list` lists all codes."
    )


@cache
def by_code() -> Mapping[str, Explanation]:
    """Return every explanation by its code."""
    return {each.code: each for group in explanations().values() for each in group}


@cache
def explanations() -> Mapping[str, tuple[Explanation, ...]]:
    """Return every explanation under the title of its group, in the order of the flow."""
    content = json.loads(Path(__file__).with_name("explanations.json").read_text("utf-8"))
    pages = content["pages"]
    return MappingProxyType(
        {
            title: tuple(_explanation(code, entry, pages) for code, entry in group.items())
            for title, group in content["groups"].items()
        }
    )


def _explanation(code: str, entry: dict[str, Any], pages: dict[str, str]) -> Explanation:
    return Explanation(
        code=code,
        cause=" ".join(entry["cause"]),
        evidence=" ".join(entry["evidence"]),
        fix=" ".join(entry["fix"]).replace("{stores}", _STORES).replace("{kinds}", _KINDS),
        sources=tuple((title, _url(title, pages)) for title in entry["sources"]),
    )


def _url(title: str, pages: dict[str, str]) -> str:
    """Return a source's URL: derived from an RFC section or issue number, or from the list."""
    if section := _RFC.fullmatch(title):
        return f"https://www.rfc-editor.org/rfc/rfc{section[1]}#section-{section[2]}"
    if issue := _PUP.fullmatch(title):
        return f"https://github.com/DataDog/pup/issues/{issue[1]}"
    return pages[title]
