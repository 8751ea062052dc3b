"""Show a recorded exchange as HTTP messages, with placeholders for secrets."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.http.transcript import Transcript


def wire_text(exchange: Exchange) -> str:
    """Return both messages as HTTP text, with one form field per line or indented JSON."""
    return "\n\n".join(wire_messages(exchange))


def wire_messages(exchange: Exchange) -> tuple[str, str]:
    """Return the request and the response, each as `wire_text` shows it."""
    url = urlsplit(exchange.url)
    target = f"{url.path}?{url.query}" if url.query else url.path
    headers = [("host", url.netloc), *exchange.request_headers]
    if exchange.request_type:
        headers.append(("content-type", exchange.request_type))
    request = _message(f"{exchange.method} {target}", headers, exchange.request_body)
    answer = _message(
        str(exchange.status), list(exchange.response_headers), _pretty(exchange.response_body)
    )
    return request, answer


def wire_html(exchange: Exchange) -> str:
    """Return the same content as HTML for a notebook."""
    return f'<pre style="overflow-x:auto">{escape(wire_text(exchange))}</pre>'


def transcript_html(transcript: Transcript) -> str:
    """Return a transcript as a table, one exchange per row."""
    rows = "".join(
        _row("td", str(e.status), e.method, f"<code>{escape(e.url)}</code>", escape(e.purpose))
        for e in transcript
    )
    head = _row("th", "status", "method", "URL", "purpose")
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _row(tag: str, *cells: str) -> str:
    inner = "".join(f'<{tag} style="text-align:left">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"


def _message(first: str, headers: list[tuple[str, str]], body: str) -> str:
    head = "\n".join([first, *(f"{name}: {value}" for name, value in headers)])
    return f"{head}\n\n{body}" if body else head


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
