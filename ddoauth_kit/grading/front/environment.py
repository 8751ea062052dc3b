"""Set variables that make a process in any runtime use the front, and keep existing values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.grading.front.trust_files import STORE_PASSWORD
from ddoauth_kit.grading.front.tunnel import is_this_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.grading.front.trust_files import TrustFiles

PRELOAD: Final = Path(__file__).with_name("preload.cjs")
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_ALL: Final = ("ALL_PROXY", "all_proxy")
_EXCEPT: Final = ("NO_PROXY", "no_proxy")
_STORE: Final = "-Djavax.net.ssl.trustStore="
_WORD: Final = "-Djavax.net.ssl.trustStorePassword="


@dataclass(frozen=True, slots=True)
class FrontEnvironment:
    """A process's variables, and a line about each setting that the front replaces.

    `parent_proxy` is the proxy that was already configured, or None.
    """

    variables: Mapping[str, str]
    notices: tuple[str, ...] = ()
    parent_proxy: str | None = None


def front_environment(
    before: Mapping[str, str], *, proxy_url: str, trust: TrustFiles
) -> FrontEnvironment:
    """Return `before` with the front's variables for all runtimes added."""
    names = _exceptions(before)
    own = dict.fromkeys(_PROXIES, proxy_url)
    own |= dict.fromkeys(_EXCEPT, ",".join((*_HERE, *(n for n in names if is_this_machine(n)))))
    own |= trust_variables(before, trust=trust)
    own |= _node(before, proxy_url=proxy_url)
    own["JAVA_TOOL_OPTIONS"] = _java(before, proxy_url=proxy_url, trust=trust)
    own["PERL_LWP_ENV_PROXY"] = "1"
    kept = {name: value for name, value in before.items() if name not in _ALL}
    return FrontEnvironment(
        kept | own, notices=_notices(before, names), parent_proxy=parent_proxy(before)
    )


def trust_variables(before: Mapping[str, str], *, trust: TrustFiles) -> dict[str, str]:
    """Return the variables that name trust files; they work with and without a proxy."""
    system = str(trust.bundle("SSL_CERT_FILE"))
    php = trust.php_folder(Path(system))
    return {
        "SSL_CERT_FILE": system,
        "REQUESTS_CA_BUNDLE": str(
            trust.bundle("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", certifi=True)
        ),
        "CURL_CA_BUNDLE": str(trust.bundle("CURL_CA_BUNDLE", "SSL_CERT_FILE")),
        # Node adds these to its own certificates; the others replace theirs.
        "NODE_EXTRA_CA_CERTS": str(trust.bundle("NODE_EXTRA_CA_CERTS", or_system=False)),
        "PERL_LWP_SSL_CA_FILE": str(trust.bundle("PERL_LWP_SSL_CA_FILE", "SSL_CERT_FILE")),
        "PHP_INI_SCAN_DIR": f"{before.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{php}",
    }


def parent_proxy(before: Mapping[str, str]) -> str | None:
    """Return the configured http proxy for https addresses, or None."""
    return next((before[name] for name in (*_PROXIES[:2], *_ALL) if before.get(name)), None)


def exports(variables: Mapping[str, str], *, before: Mapping[str, str]) -> str:
    """Return the changes as lines for a POSIX shell."""
    import shlex

    changed = {n: v for n, v in variables.items() if before.get(n) != v}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(changed.items())]
    lines += [f"unset {name}" for name in sorted(set(before) - set(variables))]
    return "\n".join(lines) + "\n"


def _node(before: Mapping[str, str], *, proxy_url: str) -> dict[str, str]:
    place = urlsplit(proxy_url)
    options = f"{before.get('NODE_OPTIONS', '')} --require {_quoted(str(PRELOAD))}"
    return {"NODE_OPTIONS": options.strip(), "DDOAUTH_FRONT": f"{place.hostname}:{place.port}"}


def _java(before: Mapping[str, str], *, proxy_url: str, trust: TrustFiles) -> str:
    given = before.get("JAVA_TOOL_OPTIONS", "")
    store = trust.java_store(given=_option(given, _STORE), password=_option(given, _WORD))
    place = urlsplit(proxy_url)
    options = [
        f"-D{scheme}.proxy{part}"
        for scheme in ("https", "http")
        for part in (f"Host={place.hostname}", f"Port={place.port}")
    ]
    options += [_quoted(f"{_STORE}{store}"), f"{_WORD}{STORE_PASSWORD}"]
    options += ["-Djavax.net.ssl.trustStoreType=PKCS12"]
    return " ".join((given, *options)).strip()


def _option(options: str, name: str) -> str | None:
    """Return an option's last value, which is the one that Java uses."""
    found = [part.removeprefix(name) for part in options.split() if part.startswith(name)]
    return found[-1].strip("'\"") if found else None


def _quoted(text: str) -> str:
    """Quote an option that contains spaces, as Node and Java expect it."""
    return f'"{text}"' if " " in text else text


def _exceptions(before: Mapping[str, str]) -> tuple[str, ...]:
    given = ",".join(before.get(name, "") for name in _EXCEPT)
    names = (name.strip() for name in given.split(","))
    return tuple(dict.fromkeys(name for name in names if name and name not in _HERE))


def _notices(before: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    lines = []
    if parent_proxy(before):
        lines.append(
            "A proxy is already configured. The command uses the front instead, and the front "
            "uses that proxy for the hosts in --allow."
        )
    beyond = [name for name in names if not is_this_machine(name)]
    if beyond:
        lines.append(
            f"NO_PROXY named {', '.join(beyond)}, which would bypass the front. Use --allow for "
            "the hosts that your server needs."
        )
    return tuple(lines)
