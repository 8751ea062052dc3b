"""Record requests and responses in masked form, without secrets."""

from __future__ import annotations

from collections import deque
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.http.record import Record

KEPT_EXCHANGES: Final = 1000


class Transcript:
    """Keep the latest 1,000 masked exchanges, in order."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=KEPT_EXCHANGES)

    def add(self, record: Record) -> None:
        """Append the record of one exchange."""
        self._records.append(record)

    def last(self, purpose: str) -> Exchange | None:
        """Return the latest exchange with this purpose, or None if there is none."""
        records = reversed(tuple(self._records))
        return next((each.exchange for each in records if each.purpose == purpose), None)

    def newest(self) -> Exchange:
        """Return the latest exchange.

        Raises:
            IndexError: nothing has been sent yet.
        """
        return self._records[-1].exchange

    def __iter__(self) -> Iterator[Exchange]:
        return (record.exchange for record in tuple(self._records))

    def __len__(self) -> int:
        return len(self._records)

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
