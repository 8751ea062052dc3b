"""Make text safe to print, without terminal commands or forged lines.

File names, exceptions and servers' responses may contain escape codes that move the cursor, line
breaks that forge a line, or marks that reverse the order of letters.
"""

from __future__ import annotations

import unicodedata


def one_line(text: str) -> str:
    r"""Return text on one line, with unprintable characters as escapes such as `\x1b`."""
    return text if text.isprintable() else "".join(map(_shown, text))


def readable(name: str) -> str:
    """Return a file name as text that can be written to any UTF-8 file or stream.

    If the system's encoding is ASCII, Python returns a name's other bytes as surrogates.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that don't stand for a byte, which Windows allows
        raw = name.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "replace")


def quoted_path(path: object) -> str:
    """Return a path for a message in its original characters, whatever the system's encoding is."""
    return repr(readable(str(path)))


def many_lines(text: str) -> str:
    """Return text with each of its lines escaped as in `one_line`.

    A carriage return before a line feed stays, because CSV needs it.
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
    """Return a number with its noun; `plural` is for a noun that doesn't simply take an `s`."""
    return f"{number} {noun if str(number) == '1' else plural or f'{noun}s'}"
