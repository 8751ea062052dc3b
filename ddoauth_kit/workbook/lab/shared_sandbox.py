"""Share one sandbox between a Jupyter server's launcher tile and its kernels.

The tile's process writes the port and the key to a file that only this user can read. A kernel
joins the sandbox if the same server started it; otherwise it has its own sandbox.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.http.message import Request
from ddoauth_kit.http.sender import Http
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import Endpoints, Host, Site
from ddoauth_kit.whole_files import ONLY_ME, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ddoauth_kit.http.message import Response
    from ddoauth_kit.oauth.callback.addresses import CallbackUrls

TIMEOUT: Final = 5.0
KEY_HEADER: Final = "X-Sandbox-Key"
NONCE_HEADER: Final = "X-Sandbox-Nonce"
_BASE: Final = re.compile(r"/(?:[\w.~@%+-]+/)*")
SERVER: Final = "JPY_PARENT_PID"


@dataclass(frozen=True, slots=True)
class SharedSandbox:
    """The address of the shared sandbox, and the key that lets a kernel join."""

    port: int
    key: str = field(repr=False)
    sites: dict[str, dict[str, str]] = field(repr=False)

    def join(self, *, client: Path | None, scopes: tuple[str, ...] | None) -> dict[str, Any]:
        """Register a client for this kernel, and return it with its secret.

        Raises:
            InputError: `bad_client_file`, `sandbox_not_started`.
        """
        document = None if client is None else json.loads(edited_text(client))
        joined: dict[str, Any] = self._ask(do="join", client=document, scopes=scopes)["client"]
        return joined

    def register(self, urls: CallbackUrls, *, client_id: str, client_secret: str) -> None:
        """Add an address to the client, and tell the sandbox which address browsers use.

        Raises:
            InputError: `sandbox_not_started`.
        """
        self._ask(
            do="address",
            client_id=client_id,
            client_secret=Secret(client_secret, label="client_secret"),
            redirect_uri=urls.redirect_uri,
            onboarding_url=urls.onboarding_url,
            public_url=f"{urls.proxy_url}{self.port}" if urls.proxy_url else "",
        )

    def answers(self) -> bool:
        """Return whether the sandbox with this key responds; the key is not sent."""
        try:
            with Http(timeout=TIMEOUT, deadline=TIMEOUT) as http:
                self._proven(http)
        except DdoauthError:
            return False
        return True

    def _ask(self, **question: object) -> dict[str, Any]:
        try:
            response = self._sent(question)
            answer = json.loads(response.text)
        except (DdoauthError, ValueError):
            what = "The shared sandbox does not answer."
            raise InputError("sandbox_not_started", what) from None
        if response.status != HTTPStatus.OK or not isinstance(answer, dict):
            raise InputError("sandbox_not_started", f"The sandbox says: {_said(answer)}.")
        return answer

    def _sent(self, question: dict[str, Any]) -> Response:
        """Send a request once the other side has proved that it knows the key.

        The key itself is never sent, only a digest of it and of a number that is valid for one
        request.
        """
        with Http(timeout=TIMEOUT, deadline=TIMEOUT) as http:
            nonce = self._proven(http)
            answer = Secret(_made(self.key, f"kernel {nonce}"), label="sandbox key")
            headers = ((NONCE_HEADER, nonce), (KEY_HEADER, answer))
            return http.send(self._request(question, headers))

    def _proven(self, http: Http) -> str:
        """Return the number with which the sandbox has proved its identity.

        Raises:
            DdoauthError: nothing responds, or another program has taken the port.
        """
        nonce = secrets.token_hex(32)
        response = http.send(self._request({}, ((NONCE_HEADER, nonce),)))
        try:
            said = json.loads(response.text)["proof"]
        except (ValueError, LookupError, TypeError, RecursionError):
            said = None
        expected = _made(self.key, f"sandbox {nonce}")
        proves = isinstance(said, str) and hmac.compare_digest(said.encode(), expected.encode())
        if response.status != HTTPStatus.OK or not proves:
            what = f"Another program uses port {self.port}."
            raise InputError("sandbox_not_started", what)
        return nonce

    def _request(
        self, question: dict[str, Any], headers: tuple[tuple[str, str | Secret], ...]
    ) -> Request:
        url = f"http://127.0.0.1:{self.port}"
        urls = Endpoints(url, url, url, url)
        return Request(
            purpose="request to the shared sandbox",
            method="POST",
            site=Site("sandbox", "sandbox.invalid", "sandbox.invalid", "this machine", urls),
            host=Host.API,
            path="/control",
            headers=headers,
            body=question,
        )


def _made(key: str, text: str) -> str:
    """Return a string's digest, which only a program with the key can compute."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def find_shared_sandbox() -> SharedSandbox | None:
    """Return the sandbox that this kernel's Jupyter server runs for its launcher, or None."""
    server = server_pid()
    if not server:
        return None
    try:
        found = _read(_descriptor(server))
    except (ImportError, OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.answers() else None


@contextmanager
def announced(shared: SharedSandbox, *, server: int) -> Iterator[None]:
    """Publish the sandbox's address during the block, for kernels of one Jupyter server."""
    path = _descriptor(server)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps({"port": shared.port, "key": shared.key, "sites": shared.sites})
    write_whole(path, content.encode(), mode=ONLY_ME)
    try:
        yield
    finally:
        with suppress(OSError):
            if _read(path).key == shared.key:
                path.unlink()


def _said(answer: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return str(answer["errors"][0])
    except (LookupError, TypeError):
        return "no"


def _descriptor(server: int) -> Path:
    return runtime_folder() / f"ddoauth-sandbox-{server}.json"


def _read(path: Path) -> SharedSandbox:
    """Read a descriptor if it is a regular file that only this user can read.

    Raises:
        OSError, ValueError, KeyError, TypeError: it isn't, or its contents are not valid.
    """
    number = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(number, encoding="utf-8") as file:
        found = os.fstat(file.fileno())
        strange = not stat.S_ISREG(found.st_mode)
        if os.name == "posix":
            strange = strange or found.st_uid != os.getuid() or bool(found.st_mode & 0o077)
        if strange:
            raise PermissionError
        content = json.load(file)
    return SharedSandbox(int(content["port"]), str(content["key"]), dict(content["sites"]))


def ports_path(*, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path under which jupyter-server-proxy serves ports, such as `/user/abc/proxy/`.

    The path is empty without such a proxy or a Jupyter server, because then browsers are on this
    machine.
    """
    if find_spec("jupyter_server_proxy") is None:
        return ""
    base = environ.get("JUPYTERHUB_SERVICE_PREFIX") or _base_url(environ)
    return f"{base}proxy/" if _BASE.fullmatch(base) else ""


def runtime_folder() -> Path:
    """Return the folder for files that live as long as this user's Jupyter server."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def server_pid(environ: Mapping[str, str] = os.environ) -> int:
    """Return the process id of the Jupyter server that started this kernel, or 0."""
    pid = environ.get(SERVER, "")
    return int(pid) if pid.isdecimal() else 0


def _base_url(environ: Mapping[str, str]) -> str:
    """Return the base URL from the server's own file, because kernels don't know it."""
    try:
        path = runtime_folder() / f"jpserver-{server_pid(environ)}.json"
        return str(json.loads(path.read_text("utf-8"))["base_url"])
    except (ImportError, OSError, ValueError, KeyError, TypeError):
        return ""
