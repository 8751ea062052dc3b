"""Make text safe to print, without terminal commands and forged lines.

A file name, an exception or a server's answer may contain escape codes that move the cursor, line
breaks that forge a line, or marks that reverse the order of letters.
"""

from __future__ import annotations

import unicodedata


def one_line(text: str) -> str:
    r"""Return a text on one line, with unprintable characters as escapes such as `\x1b`."""
    return text if text.isprintable() else "".join(map(_shown, text))


def readable(name: str) -> str:
    """Return a file name as text that any UTF-8 file or stream accepts.

    If the system's encoding is ASCII, Python returns the other bytes of a name as surrogates.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte, as Windows allows them
        raw = name.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "replace")


def quoted_path(path: object) -> str:
    """Return a path for a message, in its own characters whatever the system's encoding."""
    return repr(readable(str(path)))


def many_lines(text: str) -> str:
    """Return a text in several lines, each of which is escaped as by `one_line`.

    A carriage return stays before a line end, for CSV.
    """
    return "\n".join(
        one_line(line[:-1]) + "\r" if line.endswith("\r") else one_line(line)
        for line in text.split("\n")
    )


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    if unicodedata.category(letter) == "Zs":
        return " "
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def counted(number: int | str, noun: str, plural: str = "") -> str:
    """Return a number with its noun; unless it is 1, the noun gets an `s` or its own plural."""
    return f"{number} {noun if str(number) == '1' else plural or f'{noun}s'}"
