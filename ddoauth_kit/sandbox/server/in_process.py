"""Requests that reach the sandbox without a socket."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBERS = count(1)


def new_host() -> str:
    """Return a new sandbox's host and port: a loopback address with port 0, which can't listen.

    Each sandbox has its own address, because cookies ignore ports.
    """
    number = next(_NUMBERS)
    return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:0"


def make_request(method: str, target: bytes, headers: Iterable[tuple[str, str]]) -> Request:
    """Return a request as uvicorn would build it: decoded path, lower-case header names."""
    path, _, query = target.partition(b"?")
    return Request(
        {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
        }
    )
