"""Read environment variables: empty ones count as unset, and malformed ones are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Word processors and chats turn straight quotation marks into typographic ones.
_QUOTES: Final = tuple("'\"`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")
_INVISIBLE: Final = "\ufeff\u200b\u2060"
# Placeholders that a shell, Windows, a template engine or a person was supposed to replace.
_PLACEHOLDER: Final = re.compile(
    r"\$\w+|\$\{[^{}]*\}|\$\([^()]*\)|\$?\{\{.*\}\}|%\w+%|<[^<>]*>", re.DOTALL
)


def value_of(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's value without surrounding whitespace, or "" if the variable is unset.

    Raises:
        InputError: `bad_variable`, for a value in quotation marks or a placeholder such as
        `${SECRET}` that was not replaced. The message does not contain the value.
    """
    value = environ.get(name, "").strip().strip(_INVISIBLE).strip()
    if _PLACEHOLDER.fullmatch(value):
        raise InputError("bad_variable", f"{name} contains a placeholder instead of a value.")
    if value[:1] in _QUOTES or value[-1:] in _QUOTES:
        what = f"{name} starts or ends with a quotation mark."
        raise InputError("bad_variable", what)
    return value


def words_of(name: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the space-separated words of a variable, without duplicates.

    Raises:
        InputError: `bad_variable`, for a quotation mark, comma or semicolon.
    """
    words = tuple(dict.fromkeys(value_of(name, environ).split()))
    for mark, called in ((",", "a comma"), (";", "a semicolon"), ("'", "a quotation mark")):
        if any(mark in word.replace('"', "'") for word in words):
            raise InputError("bad_variable", f"{name} contains {called}.")
    return words


def word_of(name: str, environ: Mapping[str, str]) -> str:
    """Return the single word in a variable, such as a client id, or "" if the variable is unset.

    Raises:
        InputError: `bad_variable`, as for `words_of`, and for more than one word.
    """
    words = words_of(name, environ)
    if len(words) > 1 or value_of(name, environ) != "".join(words):
        raise InputError("bad_variable", f"{name} contains a space.")
    return "".join(words)


def path_in(name: str, environ: Mapping[str, str], *, whole: bool = False) -> Path | None:
    """Return the path that a variable names, or None; a leading `~` stands for the home folder.

    Raises:
        InputError: `bad_variable`, for a quotation mark, for another user's `~name` and, if `whole`
        is true, for a relative path.
    """
    value = value_of(name, environ)
    if not value:
        return None
    path = Path(value)
    if path.parts[:1] == ("~",):
        home = Path(value_of("HOME", environ))
        path = home.joinpath(*path.parts[1:]) if home.is_absolute() else path
    if value.startswith("~") and not path.is_absolute():
        raise InputError("bad_variable", f"{name} names a home folder that does not exist here.")
    if whole and not path.is_absolute():
        raise InputError("bad_variable", f"{name} is not an absolute path.")
    return path
