"""Record requests and responses in masked form, without secrets."""

from __future__ import annotations

from collections import deque
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
