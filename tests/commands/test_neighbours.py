"""Inputs that are like those that once failed, three of each kind, typed at the command line."""

from __future__ import annotations

import json
import os
import ssl
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from support.backends import MemoryKeyring
from support.front import parent_proxy
from support.loopback import Answer, RecordingServer, self_signed
from support.typed_lines import Shell, Typed

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.loopback import Arrived

# Without a context, httpx loads all certificates for each request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CYRILLIC = "\u0410\u043a\u043c\u0435"
GOOD = (
    "DDOAUTH_CLIENT_ID=x DDOAUTH_CLIENT_SECRET=y DDOAUTH_REDIRECT_URIS=https://acme.example.com/cb"
)
DOCTOR = "$D doctor --offline --format json"
ASCII = "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
LONG = "t" * 120
URI = "DDOAUTH_REDIRECT_URIS=https://acme.example.com/cb"
LIVE = "DDOAUTH_SANDBOX=$SANDBOX $CLIENT DDOAUTH_REDIRECT_URIS"
PLAIN = f"DDOAUTH_SANDBOX=$SANDBOX $CLIENT {URI}"
LOGIN = "DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER=$PWD/kept $D login --paste"
PROBE = f"{URI} $D probe --mode live --scope metrics_read"
KEPT = "DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER=$PWD/kept $CLIENT"
URIS = (
    "https://acme.example.com/cb",
    "https://acme.example.com/cb?datadog",
    "https://acme.example.com/cb?a=1&b",
)
FOREIGN = f"DDOAUTH_SANDBOX=$FOREIGN $CLIENT {URI}"
NEW = Typed(
    f"TMPDIR=$PWD/{LONG} $D run last.ipynb --client one.json --client two.json "
    "--client three.json --cold --timeout 900 --out same --format json",
    1,
    '"failed": 1',
)


def _query(url: str) -> str:
    return url.partition("?")[2]


LETTERS = Typed(
    f"{ASCII} TMPDIR=$PWD/\u0416 $D run \u0416.ipynb --out \u0436 --client bom.json "
    "--client \u0416.json --cold --format json",
    0,
    "0416",
    fresh=True,
    more=('"passed": 2', ".client.ipynb", ".client-2.ipynb"),
)
QUIET = Typed("TMPDIR=/not/there $D run ok.ipynb --out quiet 2>&- <&-", 0, "passed")
POOR = Typed(
    f"{ASCII} {DOCTOR} --client \u0416.json <&- 2>&-", 0, "0410", fresh=True, more=("findings",)
)

KINDS: dict[str, list[Typed]] = {
    "a scope that nobody knows": [
        Typed("$D probe --scope metricsread", 2, "Did you mean metrics_read"),
        Typed("$D probe --scope 'monitors_read ,log_read_data'", 2, "Did you mean logs_read_data"),
        Typed("$D probe --scope ''", 2, "[unknown_scope]"),
    ],
    "an empty variable": [
        Typed(f"{GOOD} DDOAUTH_CLIENT_ID_US1= {DOCTOR}", 0, "private client x"),
        Typed(f"DDOAUTH_CLIENT_ID= DDOAUTH_CLIENT_KIND=' ' {DOCTOR}", 0, "no client in the env"),
        Typed(f"DDOAUTH_CONSENT= DDOAUTH_CLIENT_FILE= {GOOD} {DOCTOR}", 0, "private client x"),
    ],
    "quotes, blanks and commas in a variable": [
        Typed(f"DDOAUTH_CLIENT_ID='\"x\"' {DOCTOR}", 1, "a quotation mark"),
        Typed(f"DDOAUTH_CLIENT_ID='x y' {DOCTOR}", 1, "DDOAUTH_CLIENT_ID contains a space"),
        Typed(f"{GOOD} DDOAUTH_SCOPES='a;b' {DOCTOR}", 1, "DDOAUTH_SCOPES contains a semicolon"),
    ],
    "a folder that no shell expanded": [
        Typed(
            "DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER='$HOME/s' $D store", 2, "not an absolute path"
        ),
        Typed("DDOAUTH_STORE=file DDOAUTH_STORE_FOLDER='~no-one/s' $D store", 2, "not an absolute"),
        Typed(f"DDOAUTH_CONFIG_FOLDER='%APPDATA%/s' {DOCTOR}", 1, "is not an absolute path"),
    ],
    "a setting that the commands refuse": [
        Typed(f"{GOOD} DDOAUTH_REDIRECT_URIS=http://127.0.0.1:65536/cb {DOCTOR}", 1, "not a valid"),
        Typed(f"{GOOD} DDOAUTH_REDIRECT_URIS=https://localhost:8484/cb {DOCTOR}", 1, "leads to"),
        Typed(f"{GOOD} DDOAUTH_CLIENT_KIND=PRIVATE {DOCTOR}", 1, "DDOAUTH_CLIENT_KIND"),
    ],
    "a client file of another encoding": [
        Typed("$D probe --client bom.json --format csv", 0, "metrics_read"),
        Typed("$D probe --client utf-16.json --format csv", 0, "metrics_read"),
        Typed("$D probe --client cp1251.json", 2, "[bad_client_file]"),
    ],
    "a stream that knows few letters": [
        Typed(f"PYTHONIOENCODING=cp1252 {DOCTOR} --client bom.json", 0, "u0410"),
        Typed("PYTHONIOENCODING=ascii $D probe --client \u0436.json", 2, "\\u0436.json"),
        Typed(f"{ASCII} $D scan \u0416.ipynb", 0, "no secrets found", fresh=True),
    ],
    "a stream that is closed or full": [
        POOR,
        Typed("$D explain wrong_state >/dev/full", 1, "[output_not_written]"),
        QUIET,
    ],
    "a notebook of another language": [
        Typed("$D run bash.ipynb --out o1", 2, "[other_language]"),
        Typed("$D run ok.ipynb julia.ipynb --out o2", 2, "[other_language]"),
        Typed("$D run r.ipynb --out o3 --format json", 2, "[other_language]"),
    ],
    "names in other letters where files have ASCII names": [
        LETTERS,
        POOR,
        Typed(f"{ASCII} $D probe --client \u0436.json", 2, "u0436.json", fresh=True),
    ],
    "names that become the same file": [
        NEW,
        Typed("$D run ok.ipynb a/ok.ipynb --out stems", 2, "Two notebooks are called 'ok'"),
        LETTERS,
    ],
    "a limit that is the one that was typed": [
        NEW,
        Typed("$D run slow.ipynb --timeout 1 --out slow", 1, "within 1 s"),
        Typed("$D run ok.ipynb --timeout 5m", 2, "5m is not a number of seconds"),
    ],
    "a temporary folder that sockets do not like": [
        NEW,
        Typed(f"TMPDIR=$PWD/{LONG} {DOCTOR}", 0, "too long for sockets"),
        QUIET,
    ],
    "a scheduler that does not exist": [
        Typed("$D run ok.ipynb --executor tcp://127.0.0.1:1 --out o10", 2, "[no_executor]"),
        Typed("$D run ok.ipynb --executor ucx://127.0.0.1:1 --out o11", 2, "[no_executor]"),
        Typed("$D run ok.ipynb --executor nobody --out o12", 2, "[no_executor]"),
    ],
    "nobody at the terminal": [
        Typed("DDOAUTH_CLIENT_ID=a $D login </dev/null", 2, "[no_person]"),
        Typed("DDOAUTH_CLIENT_ID=a DDOAUTH_CONSENT=PASTE $D login </dev/null", 2, "[no_person]"),
        Typed("DDOAUTH_CLIENT_ID=a BROWSER=w3m $D login <&-", 2, "[no_person]"),
    ],
    "a redirect URI with a query of its own": [
        Typed(f"{LIVE}=https://acme.example.com/cb?datadog {LOGIN}", 0, "organization "),
        Typed(
            f"{LIVE}=https://acme.example.com/cb?a=1'&'b {LOGIN}",
            0,
            "organization ",
            spoil=lambda url: url.replace("&", "&&") + "&",
        ),
        Typed(
            f"{PLAIN} {LOGIN}", 0, "organization ", spoil=lambda url: url.replace("?", "?&") + "&&"
        ),
    ],
    "a redirect as a server behind TLS sees it": [
        Typed(f"{PLAIN} {LOGIN}", 0, "organization ", spoil=lambda url: "/cb?" + _query(url)),
        Typed(f"{PLAIN} {LOGIN}", 0, "organization ", spoil=_query),
        Typed(
            f"{PLAIN} {LOGIN}",
            0,
            "organization ",
            spoil=lambda url: "http://10.0.0.7:8000/inner?" + _query(url),
        ),
    ],
    "a limit that is told in an odd way": [
        Typed(f"{PLAIN} {LOGIN}", 0, "organization "),
        *(Typed(f"DDOAUTH_SANDBOX=$LIMITED{n} {KEPT} {PROBE}", 0, "no problems") for n in range(3)),
    ],
    "an answer that is not Datadog's": [
        Typed(f"{FOREIGN} $D doctor --site us1", 1, "login.corp.example"),
        Typed(f"{FOREIGN} $D doctor --site us3 --format json", 1, "was a web page"),
        Typed(f"{FOREIGN} $D doctor --site eu1", 1, "200 and 1 field of JSON"),
    ],
    "TLS that fails": [
        Typed("SSL_CERT_FILE=$PWD/none.pem $D doctor --site us1", 1, "set SSL_CERT_FILE"),
        Typed("HTTPS_PROXY=$PROXY $D doctor --site us1", 1, "set SSL_CERT_FILE to the certificate"),
        Typed(
            "HTTPS_PROXY=$PROXY REQUESTS_CA_BUNDLE=$PWD/self-signed.pem $D doctor --site all",
            1,
            "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are not read",
        ),
    ],
    "a keyring that does not answer": [
        Typed("DDOAUTH_STORE=keyring KEYRING=silent $D store", 2, "[keyring_silent]"),
        Typed(
            "KEYRING=silent DDOAUTH_STORE= $D doctor --offline",
            1,
            "unknown  keyring: ",
            more=("set DDOAUTH_STORE to",),
        ),
        Typed(f"{PLAIN} DDOAUTH_STORE=keyring KEYRING=silent $D logout", 2, "set DDOAUTH_STORE to"),
    ],
    "a keyring with little room": [
        Typed(
            f"{PLAIN} DDOAUTH_STORE=keyring KEYRING=small $D login --paste",
            0,
            "the keyring of this machine",
        ),
        Typed("DDOAUTH_STORE=keyring KEYRING=small $D store", 0, "grant of "),
        Typed(f"{PLAIN} DDOAUTH_STORE=keyring KEYRING=tiny $D login --paste", 2, "[not_stored]"),
    ],
    "advice that is typed as it stands": [
        Typed("$D lab --allow-root --no-browser --out copies -- --version", 0, "copies"),
        Typed("$D lab --no-browser --out copies --nobody", 2, "--nobody"),
        Typed("$D explain unknown_scope", 0, "ddoauth"),
    ],
}


class SilentKeyring(MemoryKeyring):
    """Never answer, as when its prompt is on another screen."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        """Wait for somebody."""
        self.unlocked.wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Wait for somebody."""
        self.unlocked.wait()
        super().set_password(service, username, password)


class NarrowKeyring(MemoryKeyring):
    """Accept only this many bytes of UTF-16 in an entry."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it if it fits."""
        if len(password.encode("utf-16-le")) > self._most:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


LIMITS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("X-RateLimit-Reset", "1"), ("X-RateLimit-Reset", "1")),
    (("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),),
    (("X-RateLimit-Reset", "never"), ("Retry-After", "0.2")),
)


class Limited:
    """Refuse the first question with 429, and relay all others to a sandbox."""

    def __init__(self, sandbox: Sandbox, headers: tuple[tuple[str, str], ...]) -> None:
        self._url = sandbox.base_url
        self._first: Answer | None = Answer("{}", 429, headers)

    def __call__(self, arrived: Arrived) -> Answer:
        """Answer one question; what is sent by POST is not sent again, and so not refused."""
        if self._first is not None and arrived.method == "GET":
            first, self._first = self._first, None
            return first
        headers = {k: v for k, v in arrived.headers.items() if k not in {"host", "connection"}}
        came = httpx.request(
            arrived.method,
            self._url + arrived.target,
            headers=headers,
            content=arrived.body,
            verify=NO_TLS,
        )
        kept = [(k, v) for k, v in came.headers.items() if k in {"content-type", "location"}]
        return Answer(came.text, came.status_code, tuple(kept))


def _foreign(arrived: Arrived) -> Answer:
    """Be a proxy: redirect to a login for us1, block us3, and say something else for the rest."""
    if arrived.target.startswith("/us1/"):
        return Answer("", 302, (("location", "https://login.corp.example/"),))
    if arrived.target.startswith("/us3/"):
        return Answer("<html>Blocked</html>", 403, (("content-type", "text/html"),))
    return Answer('{"ok": true}')


def _notebook(code: str, **metadata: object) -> str:
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "source": code}
    tag = {"tags": ["parameters"]}
    cells = [
        {**cell, "id": "zero", "source": "CLIENT = ''", "metadata": tag, "execution_count": None},
        {**cell, "execution_count": None},
    ]
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content)


def _client(name: str) -> str:
    integration = {
        "id": "5f0c9a3e-7d41-4c7f-9a56-0d6f2b1c8e90",
        "name": name,
        "redirect_uris": ["https://acme.example.com/cb"],
        "onboarding_url": "https://acme.example.com/",
        "scopes": ["metrics_read"],
    }
    return json.dumps({"integration": integration}, ensure_ascii=False)


def _fill(folder: Path) -> None:
    """Write the files that the lines name."""
    text = _client(CYRILLIC)
    (folder / "bom.json").write_text(text, "utf-8-sig")
    (folder / "utf-16.json").write_text(text, "utf-16")
    (folder / "cp1251.json").write_text(text, "cp1251")
    (folder / "\u0416.json").write_text(_client(CYRILLIC.upper()), "utf-8")
    for file, name in (("one", "Acme"), ("two", "Acme"), ("three", "Acme 2")):
        (folder / f"{file}.json").write_text(_client(name), "utf-8")
    for name in (LONG, "\u0416", "a", "A"):
        (folder / name).mkdir(exist_ok=True)
    for name in ("ok", "\u0416", "a/ok", "A/OK"):
        (folder / f"{name}.ipynb").write_text(_notebook("print(1)"), "utf-8")
    fails = "assert 'three' not in CLIENT, 'the last'"
    (folder / "last.ipynb").write_text(_notebook(fails), "utf-8")
    (folder / "slow.ipynb").write_text(_notebook("import time; time.sleep(60)"), "utf-8")
    for name, language in (("bash", "bash"), ("julia", "julia"), ("r", "R")):
        spec = {"name": name, "display_name": name, "language": language}
        (folder / f"{name}.ipynb").write_text(_notebook("x", kernelspec=spec), "utf-8")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Give a shell in a folder with files, with a sandbox, a proxy and odd servers around it."""
    folder = tmp_path_factory.mktemp("n")
    _fill(folder)
    silent = SilentKeyring()
    keyrings = {"silent": silent, "small": NarrowKeyring(2560), "tiny": NarrowKeyring(300)}
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(real_time=True))
        client = sandbox.client
        for uri in URIS:
            client = sandbox.add_redirect_uri(uri)
        limited = [RecordingServer(respond=Limited(sandbox, headers)) for headers in LIMITS]
        foreign = RecordingServer(respond=_foreign)
        secure = RecordingServer(tls=self_signed(folder))
        proxy = parent_proxy(urlsplit(secure.url).port or 0, asked=[])
        threading.Thread(target=proxy.serve_forever, args=(0.01,)).start()
        for close in (
            *(server.close for server in (*limited, foreign, secure)),
            proxy.server_close,
            proxy.shutdown,
            silent.unlocked.set,
        ):
            stack.callback(close)
        names = {
            "SANDBOX": sandbox.base_url,
            "CLIENT": f"DDOAUTH_CLIENT_ID={client.client_id} "
            f"DDOAUTH_CLIENT_SECRET={client.client_secret} DDOAUTH_SCOPES=metrics_read",
            "FOREIGN": foreign.url,
            "PROXY": f"http://127.0.0.1:{proxy.server_address[1]}",
            **{f"LIMITED{number}": server.url for number, server in enumerate(limited)},
        }
        yield Shell(folder, names=names, keyrings=keyrings)


@pytest.mark.skipif(os.name != "posix", reason="the lines are for a POSIX shell")
@pytest.mark.parametrize("kind", KINDS)
def test_the_three_neighbours_of_a_kind(kind: str, shell: Shell) -> None:
    """Each has the exit code and the words that say what it is, and no traceback."""
    found = [shell.type(typed) for typed in KINDS[kind]]
    for typed, (code, text) in zip(KINDS[kind], found, strict=True):
        assert (code, typed.words in text) == (typed.code, True), f"{typed.line}\n{text}"
        assert all(words in text for words in typed.more), f"{typed.line}\n{text}"
        assert "Traceback" not in text, typed.line
    assert not {"~", "$HOME", "~no-one", "%APPDATA%"} & {
        path.name for path in shell.folder.iterdir()
    }
