"""Wrap secrets in a type that shows them only when asked to explicitly."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

LONG: Final = 16


class Secret:
    """Wrap one credential and show a placeholder such as `<client_secret>` wherever it is printed.

    An API key may show its last four characters (`show_last_four`), as Datadog's own pages do; a
    short key would reveal too much.
    """

    # The value is not in an attribute: generic tools read attributes, but don't call functions.
    __slots__ = ("__read", "label", "show_last_four")

    def __init__(self, value: str, *, label: str, show_last_four: bool = False) -> None:
        self.__read = _sealed(value)
        self.label = label
        self.show_last_four = show_last_four

    def reveal(self) -> str:
        """Return the secret itself; only this method reveals it."""
        return self.__read()

    def matches(self, other: str) -> bool:
        """Compare in constant time, so the timing reveals nothing (RFC 6749 section 10.12)."""
        return hmac.compare_digest(_bytes(self.__read()), _bytes(other))

    def __str__(self) -> str:
        value = self.__read() if self.show_last_four else ""
        tail = f" …{value[-4:]}" if len(value) >= LONG else ""
        return f"<{self.label}{tail}>"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def _repr_html_(self) -> str:
        return f"<code>{str(self).replace('<', '&lt;').replace('>', '&gt;')}</code>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other.reveal())

    def __hash__(self) -> int:
        return hash(self.__read())

    def __bool__(self) -> bool:
        return bool(self.__read())

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self} can't be pickled: pass the name of its place in the store instead."
        )

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"{self} has no state to show: pass the name of its place in the store instead."
        )


def _sealed(value: str) -> Callable[[], str]:
    return lambda: value


def _bytes(text: str) -> bytes:
    """Encode any text without raising an error, because an error would contain the whole text."""
    return text.encode("utf-8", "surrogatepass")
