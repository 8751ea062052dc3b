"""Read text that people edit: Windows editors save it as UTF-8 with a BOM, or as UTF-16."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

# UTF-32 comes first, because its BOM begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(content: bytes) -> str:
    """Decode text according to its byte order mark, or as UTF-8 if it has none.

    Raises:
        UnicodeDecodeError: the text is in another encoding.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8-sig")


def edited_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: the text is in another encoding.
    """
    return decoded(path.read_bytes())
