"""Describe one mistake in a copy of the reference server, and the text that it replaces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A mistake, the check that must find it, and the text that causes it.

    `verdict` is the verdict that the check must give. `also` names other checks that it breaks,
    each with the reason.
    """

    name: str
    check: str
    verdict: str
    changes: tuple[tuple[str, str], ...]
    also: tuple[tuple[str, str], ...] = ()


OWN_CLIENT = "OAuthClient(registration, pending=pending)"
SENDER = "from ddoauth_kit.http.sender import Http\n"
CLASS = "class Acme:"
COMPLETE = "self.client.complete(request.url.query, session=session)"
BEGUN = "return RedirectResponse(begun.url, 303)"
CALL = "response = self.grant(request).send(monitor_list_request)"
IS_TOKEN = 'request.path.endswith("/token")'


def client_with(http: str) -> tuple[str, str]:
    """Give the server's client a different sender."""
    return OWN_CLIENT, OWN_CLIENT.replace("registration,", f"registration, http={http},")


def sends(*lines: str) -> tuple[tuple[str, str], ...]:
    """Change what `Http` sends; the lines can use `request` and `super()`."""
    body = "".join(f"        {line}\n" for line in lines)
    bent = f"class Bent(Http):\n    def send(self, request):\n{body}\n\n{CLASS}"
    imports = (
        "import os\nimport httpx\nfrom dataclasses import replace\n"
        "from ddoauth_kit.sites import DATADOG_SITES as sites\nfrom ddoauth_kit.sites import Host\n"
    )
    return (
        client_with("Bent()"),
        (CLASS, bent),
        ("import os\n", imports + SENDER),
    )


def refreshes(*lines: str) -> tuple[tuple[str, str], ...]:
    """Change how the client refreshes; the lines can use `tokens` and `super()`."""
    body = "".join(f"        {line}\n" for line in lines)
    bent = f"class BentClient(OAuthClient):\n    def refresh(self, tokens):\n{body}\n\n{CLASS}"
    return (
        ("self.client = OAuthClient(", "self.client = BentClient("),
        (CLASS, bent),
        ("import os\n", "import os\nfrom dataclasses import replace\n"),
    )
