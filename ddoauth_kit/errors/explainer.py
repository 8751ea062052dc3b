"""Explain an error in full: its cause, how to recognize it, and what to do.

The texts are in `explanations.json`, grouped in the order of the flow; the fix is the advice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from ddoauth_kit.errors.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

_RFC: Final = re.compile(r"RFC (\d+) section ([\d.]+)")
_PUP: Final = re.compile(r"DataDog/pup issue (\d+)")
_SHOWN: Final = 40


class HasCode(Protocol):
    """Anything with a code, such as the kit's errors."""

    @property
    def code(self) -> str:
        """Return the code, which doesn't change between versions."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one code, in sentences.

    `cause` starts with the most likely cause. `evidence` says what to look at, and which causes
    look the same. `fix` is the next step that the error's message gives. `sources` has a
    (title, URL) pair for each source, and is empty if the cause lies in the kit's own options.
    """

    code: str
    cause: str
    evidence: str
    fix: str
    sources: tuple[tuple[str, str], ...]


def explain(error: str | HasCode) -> Explanation:
    """Return the explanation of a code, or of an error's code.

    Raises:
        ValueError: no error has this code.
    """
    code = error if isinstance(error, str) else getattr(error, "code", None)
    for group in explanations().values():
        for explanation in group:
            if explanation.code == code:
                return explanation
    given = ascii(error[:_SHOWN]) if isinstance(error, str) else f"this {type(error).__name__}"
    raise ValueError(
        f"There is no explanation for {given}: a code consists of lower-case words "
        "joined by underscores, "
        f"such as {', '.join(list(ADVICE)[:2])} or invalid_grant; "
        "ddoauth_kit.errors.advice lists all."
    )


@cache
def explanations() -> Mapping[str, tuple[Explanation, ...]]:
    """Return every explanation under the title of its group, in the order of the flow."""
    text = resources.files("ddoauth_kit").joinpath("errors/explanations.json").read_text("utf-8")
    content = json.loads(text)
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
        fix=ADVICE[code],
        sources=tuple((title, _url(title, pages)) for title in entry["sources"]),
    )


def _url(title: str, pages: dict[str, str]) -> str:
    """Return a source's URL: derived from an RFC section or issue number, or from the list."""
    if section := _RFC.fullmatch(title):
        return f"https://www.rfc-editor.org/rfc/rfc{section[1]}#section-{section[2]}"
    if issue := _PUP.fullmatch(title):
        return f"https://github.com/DataDog/pup/issues/{issue[1]}"
    return pages[title]
