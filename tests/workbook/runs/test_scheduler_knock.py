"""It takes only seconds to find out whether an address has a Dask scheduler."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.runs.scheduler_knock import knock

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    find_spec("distributed") is None, reason="the extra `dask` is not installed"
)
SCHEMES = ("tcp", "tls", "ws", "wss")
ANSWERS = {
    "nothing": b"",
    "a web page": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a refusal": b"HTTP/1.1 403 Forbidden\r\n\r\n",
    "a greeting": b"220 mail.example.com ESMTP\r\n",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "zeros": b"\0" * 64,
    "large numbers": b"\xff" * 64,
    "half a length": b"\x10\0\0",
}


@pytest.fixture(scope="module")
def tls_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return Dask's settings for a certificate of this machine's address."""
    import distributed  # noqa: F401 - its own settings have to be there before ours
    import trustme

    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    names = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}
    authority.cert_pem.write_to_path(names["ca"])
    certificate.cert_chain_pems[0].write_to_path(names["cert"])
    certificate.private_key_pem.write_to_path(names["key"])
    tls = "distributed.comm.tls"
    roles = {
        f"{tls}.{role}.{part}": names[part]
        for role in ("client", "scheduler", "worker")
        for part in ("cert", "key")
    }
    return {f"{tls}.ca-file": names["ca"], **roles}


@contextmanager
def _listening(says: bytes, settings: dict[str, str] | None, *, stays: bool) -> Iterator[int]:
    """Send some bytes on each connection, with TLS if there are settings for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if settings else None
    if context is not None and settings is not None:
        role = "distributed.comm.tls.scheduler"
        context.load_cert_chain(settings[f"{role}.cert"], settings[f"{role}.key"])
    kept = []

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                taken: socket.socket = server.accept()[0]
                kept.append(taken)
                with suppress(OSError):
                    if context is not None:
                        taken = context.wrap_socket(taken, server_side=True)
                        kept.append(taken)
                    taken.sendall(says)
                    if not stays:
                        taken.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in kept:
        each.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("answer", [(name, tls) for name in ANSWERS for tls in (False, True)])
def test_a_server_that_is_not_a_scheduler(
    scheme: str,
    answer: tuple[str, bool],
    tls_settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is refused by name within the time for a knock, whether it hangs up, waits or answers."""
    monkeypatch.setattr("ddoauth_kit.workbook.runs.scheduler_knock.KNOCK_SECONDS", 0.1)
    import dask

    name, encrypted = answer
    for stays in (False, True):
        begun = time.monotonic()
        with (
            dask.config.set(tls_settings),
            _listening(ANSWERS[name], tls_settings if encrypted else None, stays=stays) as port,
            pytest.raises(InputError, match="No Dask scheduler answers") as caught,
        ):
            knock(f"{scheme}://127.0.0.1:{port}")
        assert caught.value.code == "no_executor"
        assert time.monotonic() - begun < 5
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("scheme", ["tls", "wss"])
def test_tls_without_certificates(scheme: str) -> None:
    """It says which of Dask's settings are missing."""
    with (
        _listening(b"", None, stays=True) as port,
        pytest.raises(InputError, match="DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
    ):
        knock(f"{scheme}://127.0.0.1:{port}")


# A machine without a network has no address that Dask would show to others.
@pytest.mark.filterwarnings("ignore:Couldn't detect a suitable IP address:RuntimeWarning")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheduler_is_let_through(scheme: str, tls_settings: dict[str, str]) -> None:
    """A real scheduler responds with each of the four protocols."""
    import dask
    import distributed

    with dask.config.set(tls_settings):
        security: Any = distributed.Security()
        with distributed.LocalCluster(
            n_workers=0,
            processes=False,
            protocol=f"{scheme}://",
            dashboard_address="127.0.0.1:0",  # otherwise 8787, which another process may have
            security=security if scheme in {"tls", "wss"} else None,
        ) as cluster:
            knock(cluster.scheduler_address)
