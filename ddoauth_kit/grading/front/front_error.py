"""The reason the front can't start, in one line that ends with the next step."""

from __future__ import annotations


class FrontError(Exception):
    """A stable code, and one line that says what happened and what to do."""

    def __init__(self, code: str, line: str) -> None:
        super().__init__(code, line)
        self.code = code
        self.line = line

    def __str__(self) -> str:
        return self.line
