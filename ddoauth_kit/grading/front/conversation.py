"""Read one client's requests, and send it the front's own responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import h11

from ddoauth_kit.grading.front import refusals
from ddoauth_kit.grading.front.field_names import (
    HIDDEN,
    body_fields,
    credential_headers,
    query_fields,
    shown_path,
)
from ddoauth_kit.grading.front.forwarding import origin_form, send_continue
from ddoauth_kit.grading.front.records import FrontRecord, Treatment

if TYPE_CHECKING:
    from ddoauth_kit.grading.front.channel import Channel, Limits
    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.refusals import FrontRefusal

_TOO_LARGE: Final = 431  # RFC 6585 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The requested host, as far as the client has named it."""

    host: str = ""
    port: int = 0
    scheme: str = ""


class Conversation:
    """The HTTP/1.1 side of one client's connection."""

    def __init__(self, channel: Channel, *, limits: Limits) -> None:
        self.channel = channel
        self._limits = limits
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)

    async def next_request(self, host: str = "") -> h11.Request | FrontRefusal | None:
        """Read the head of the next request, or return None after the last one.

        If the head is unreadable, respond with a refusal and return that refusal.
        """
        seconds = self._limits.idle_seconds
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                self.http.receive_data(await self.channel.receive(seconds))
                seconds = self._limits.head_seconds
        except h11.RemoteProtocolError as error:
            large = error.error_status_hint == _TOO_LARGE
            refusal = refusals.head_too_large(host) if large else refusals.malformed(host)
            await self.say(refusal)
            return refusal
        return event if isinstance(event, h11.Request) else None

    def prepare_next(self) -> bool:
        """Prepare for the connection's next request, and return whether there can be one."""
        done = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        if done:
            self.http.start_next_cycle()
        return done

    async def body(self) -> bytes | None:
        """Read a body without forwarding it; return None if it exceeds the limit."""
        found = bytearray()
        size, most = 0, self._limits.read_names_bytes
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                await send_continue(self.channel, self.http, self._limits.body_seconds)
                self.http.receive_data(await self.channel.receive(self._limits.body_seconds))
            elif isinstance(event, h11.Data):
                size += len(event.data)
                found += event.data if size <= most else b""
            else:
                return bytes(found) if size <= most else None

    async def switch(self, *, silent: bool) -> None:
        """Turn the connection into a tunnel."""
        self.http.next_event()
        ready = self.http.send(h11.Response(status_code=200, headers=[], reason=b"OK"))
        self.channel.give_back(self.http.trailing_data[0])
        if not silent:
            await self.channel.send(ready or b"", self._limits.body_seconds)

    async def say(self, refusal: FrontRefusal) -> None:
        """Send a refusal's line as the response, if a response can still be sent."""
        if self.http.our_state in {h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR, h11.SEND_BODY}:
            return
        text = f"{refusal.line}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(text)).encode()),
        ]
        ready = b"".join(
            self.http.send(event) or b""
            for event in (
                h11.Response(status_code=refusal.status or 400, headers=headers),
                h11.Data(text),
                h11.EndOfMessage(),
            )
        )
        await self.channel.send(ready, self._limits.body_seconds)


def record_of(
    request: h11.Request, asked: Asked, *, hosts: HostTable, status: int | None
) -> FrontRecord:
    """Describe a forwarded request; no status means that no complete response arrived."""
    named = hosts.find(asked.host)
    target = "" if request.method == b"CONNECT" else origin_form(request.target).decode("latin-1")
    return FrontRecord(
        treatment=Treatment.FAILED if status is None else Treatment.FORWARDED,
        host=asked.host,
        port=asked.port,
        site=named.site if named else None,
        role=named.role if named else None,
        method=request.method.decode("latin-1"),
        path=shown_path(target),
        status=status,
        query_fields=query_fields(target),
        credential_headers=credential_headers(name for name, _ in request.headers),
    )


def sent_fields(request: h11.Request, body: bytes | None) -> tuple[str, ...]:
    """Return the field names in a body that was read, or `<hidden>` if the body was too large."""
    return (HIDDEN,) if body is None else body_fields(body, header(request, b"content-type"))


def header(request: h11.Request, wanted: bytes) -> str:
    """Return the first header with this lower-case name, or an empty string."""
    found = (value for name, value in request.headers if name == wanted)
    return next(found, b"").decode("latin-1")
