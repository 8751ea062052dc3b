"""Another user of this machine cannot respond for the user whose program is waiting."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing, suppress

import pytest
from support.listeners import has_ipv6
from support.users import as_root, as_user

from ddoauth_kit.oauth.callback.callback_pages import refusal
from ddoauth_kit.oauth.callback.loopback_server import Asked, LoopbackServer, Reply
from ddoauth_kit.oauth.callback.neighbours import is_foreign

OWN, STRANGER = 4711, 65534
pytestmark = [
    pytest.mark.checklist("L9"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose a socket is"),
]


def _sends(address: tuple[str, int], request: bytes, how: str) -> bytes:
    """Connect, send in one of several ways, and return the response."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with closing(socket.socket(family)) as client, suppress(ConnectionError):
        client.settimeout(60)
        client.connect(address)
        for piece in (request[:7], request[7:]) if how == "in pieces" else (request,):
            client.sendall(piece)
        if how == "half closed":
            client.shutdown(socket.SHUT_WR)
        if how == "gone":
            return b""
        return b"".join(iter(lambda: client.recv(4096), b""))
    return b""


ONBOARDING = "GET /onboard?domain=datadoghq.com&site=https%3A%2F%2Fapp.datadoghq.com"
REQUESTS = (
    ("GET /start/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "at once"),
    ("GET /callback?code=c&state=s&domain=datadoghq.com&site=https%3A%2F%2Fx", "at once"),
    ("GET /callback?code=c&state=s&dd_oid=stranger&dd_org_name=Stranger", "at once"),
    ("GET /callback?error=access_denied&state=s", "at once"),
    *((ONBOARDING, how) for how in ("at once", "in pieces", "half closed", "gone")),
)


@as_root
def test_no_request_of_a_stranger_is_heard() -> None:
    """None of a stranger's requests reaches the listener; all those of the user and of root do."""
    heard: list[str] = []

    def respond(asked: Asked) -> Reply:
        heard.append(asked.path)
        return Reply(200, (), b"served")

    server = LoopbackServer(("127.0.0.1", "::1"), port=0, respond=respond, refuse=refusal, user=OWN)
    try:
        for host in ("127.0.0.1", "::ffff:127.0.0.1", *(["::1"] if has_ipv6() else [])):
            address = (host, server.port)
            for line, how in REQUESTS:
                request = f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
                answer = as_user(STRANGER, lambda r=request, w=how, a=address: _sends(a, r, w))
                assert b"served" not in answer
                assert how == "gone" or answer.startswith(b"HTTP/1.1 403 ")
            assert heard == []
            for user in (OWN, 0):
                answer = as_user(user, lambda r=request, a=address: _sends(a, r, "at once"))
                assert b"served" in answer
            heard.clear()
    finally:
        server.close()


def test_the_own_user_is_none_and_a_closed_socket_is() -> None:
    """The user who runs this is served by default; one who has hung up does not count as root."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            assert not is_foreign(accepted)
            assert not is_foreign(accepted, user=os.geteuid())
            client.close()
            assert is_foreign(accepted, user=os.geteuid() or OWN)
            assert not is_foreign(accepted, user=0)
