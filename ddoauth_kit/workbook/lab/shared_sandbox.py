"""Share the one sandbox of a Jupyter server between its launcher's tile and its kernels.

The tile's process writes down port and key, in a file that only this user can read. A kernel
joins if the same server started it; else it has a sandbox of its own.
"""

from __future__ import annotations

import json
import os
import re
import stat
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.config_folder import ONLY_ME, write_whole
from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ddoauth_kit.oauth.callback.addresses import CallbackUrls

TIMEOUT: Final = 5.0
KEY_HEADER: Final = "X-Sandbox-Key"
_BASE: Final = re.compile(r"/(?:[\w.~@%+-]+/)*")
SERVER: Final = "JPY_PARENT_PID"


@dataclass(frozen=True, slots=True)
class SharedSandbox:
    """Hold where the shared sandbox is, and the key that lets a kernel join."""

    port: int
    key: str = field(repr=False)
    sites: dict[str, dict[str, str]] = field(repr=False)

    def join(self, *, client: Path | None, scopes: tuple[str, ...] | None) -> dict[str, Any]:
        """Register a client of this kernel's own and return it, secret included.

        Raises:
            InputError: `bad_client_file`, `sandbox_not_started`.
        """
        document = None if client is None else json.loads(edited_text(client))
        joined: dict[str, Any] = self._ask(do="join", client=document, scopes=scopes)["client"]
        return joined

    def register(self, urls: CallbackUrls, *, client_id: str, client_secret: str) -> None:
        """Give the client one more address, and tell the sandbox where browsers come from.

        Raises:
            InputError: `sandbox_not_started`.
        """
        self._ask(
            do="address",
            client_id=client_id,
            client_secret=client_secret,
            redirect_uri=urls.redirect_uri,
            onboarding_url=urls.onboarding_url,
            public_url=f"{urls.proxy_url}{self.port}" if urls.proxy_url else "",
        )

    def answers(self) -> bool:
        """Return whether a sandbox with this key is there; it refuses a question without words."""
        try:
            self._post({"do": "nothing"})
        except urllib.error.HTTPError as error:
            with error:
                return error.code == 400  # noqa: PLR2004 - a stranger gets 404
        except OSError:
            return False
        return False

    def _ask(self, **question: object) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._post(question))
        except urllib.error.HTTPError as error:
            with error:
                said = _said(error.read())
            raise InputError("sandbox_not_started", f"The sandbox says: {said}.") from None
        except OSError as error:
            what = f"The shared sandbox does not answer: {getattr(error, 'reason', error)}."
            raise InputError("sandbox_not_started", what) from None
        return answer

    def _post(self, question: dict[str, Any]) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/control",
            data=json.dumps(question).encode(),
            headers={KEY_HEADER: self.key, "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read()
        return body


def find_shared_sandbox() -> SharedSandbox | None:
    """Return the sandbox that the Jupyter server of this kernel runs for its launcher, if any."""
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
    """Write down where the sandbox is while the block runs, for kernels of one Jupyter server."""
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


def _said(body: bytes) -> str:
    try:
        return str(json.loads(body)["errors"][0])
    except (ValueError, LookupError, TypeError):
        return "no"


def _descriptor(server: int) -> Path:
    return runtime_folder() / f"ddoauth-sandbox-{server}.json"


def _read(path: Path) -> SharedSandbox:
    """Read a descriptor that is a plain file of this user's, and nobody else's to read.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is not, or is none.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
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
    """Return the path under which jupyter-server-proxy shows a port, such as `/user/abc/proxy/`.

    Empty where there is no such proxy, or no Jupyter server: then browsers are on this machine.
    """
    if find_spec("jupyter_server_proxy") is None:
        return ""
    base = environ.get("JUPYTERHUB_SERVICE_PREFIX") or _base_url(environ)
    return f"{base}proxy/" if _BASE.fullmatch(base) else ""


def runtime_folder() -> Path:
    """Return where the Jupyter server of this user keeps what lives as long as it."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def server_pid(environ: Mapping[str, str] = os.environ) -> int:
    """Return the process id of the Jupyter server that started this kernel, or 0."""
    pid = environ.get(SERVER, "")
    return int(pid) if pid.isdecimal() else 0


def _base_url(environ: Mapping[str, str]) -> str:
    """Return the base URL that the server wrote down; a kernel is not told it."""
    try:
        path = runtime_folder() / f"jpserver-{server_pid(environ)}.json"
        return str(json.loads(path.read_text("utf-8"))["base_url"])
    except (ImportError, OSError, ValueError, KeyError, TypeError):
        return ""
