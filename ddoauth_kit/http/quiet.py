"""Keep the kit's exchanges, which contain secrets, out of the logs of httpx and httpcore."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUIET: ContextVar[bool] = ContextVar("_QUIET", default=False)
# A logger's filter doesn't apply to its children, so every logger that is in use is listed.
_LOGGERS: Final = (
    "httpx",
    *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Turn off logging of the kit's requests in this block, but not of the caller's own."""
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)


def _is_the_callers(_record: logging.LogRecord) -> bool:
    return not _QUIET.get()


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_is_the_callers)
