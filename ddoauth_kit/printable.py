"""Make a text safe to print: no command for a terminal, and no line that its author did not print.

A file's name, an exception's text and a server's words may hold escape codes that move the cursor,
line ends that forge a line, or marks that reverse the order of letters.
"""

from __future__ import annotations

import unicodedata


def one_line(text: str) -> str:
    r"""Return a text on one line, with everything unprintable as an escape such as `\x1b`."""
    return text if text.isprintable() else "".join(map(_shown, text))


def readable(name: str) -> str:
    """Return a file's name as text that every file and stream in UTF-8 takes.

    Where the system's encoding is ASCII, Python gives the other bytes of a name as surrogates.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte, as Windows allows them
        raw = name.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "replace")


def quoted_path(path: object) -> str:
    """Return a path as a message quotes it, in its own letters whatever the system's encoding."""
    return repr(readable(str(path)))


def many_lines(text: str) -> str:
    """Return a text whose line ends are the program's own; each line is as `one_line` gives it.

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
    """Return a number with its noun, which gets an `s`, or its own plural, unless it is 1."""
    return f"{number} {noun if str(number) == '1' else plural or f'{noun}s'}"
