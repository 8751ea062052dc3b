"""Keep a masked record of requests and answers; it contains no secrets."""

from __future__ import annotations

from collections import deque
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.exchange import Exchange

KEPT_EXCHANGES: Final = 1000


class Transcript:
    """Keep the newest masked exchanges, in order (at most 1,000)."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT_EXCHANGES)

    def add(self, exchange: Exchange) -> None:
        """Append one exchange."""
        self._exchanges.append(exchange)

    def last(self, purpose: str) -> Exchange | None:
        """Return the newest exchange of a purpose, or None."""
        return next((e for e in reversed(tuple(self._exchanges)) if e.purpose == purpose), None)

    def newest(self) -> Exchange:
        """Return the newest exchange.

        Raises:
            IndexError: nothing was sent yet.
        """
        return self._exchanges[-1]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __repr__(self) -> str:
        lines = (f"{e.status} {e.method} {e.url}  ({e.purpose})" for e in self)
        return "\n".join(lines) or "(no request was sent)"

    def _repr_html_(self) -> str:
        rows = "".join(
            _row("td", str(e.status), e.method, f"<code>{escape(e.url)}</code>", escape(e.purpose))
            for e in self
        )
        head = _row("th", "status", "method", "URL", "purpose")
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _row(tag: str, *cells: str) -> str:
    inner = "".join(f'<{tag} style="text-align:left">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
