"""Mistakes with a stored grant, when the server calls, sends and refreshes."""

from __future__ import annotations

from support.mutant import (
    CALL,
    CLASS,
    IS_TOKEN,
    SENDER,
    Mutant,
    client_with,
    refreshes,
    sends,
)

_LISTED = (
    '"""List monitors with the organization\'s access token, which is refreshed if necessary."""'
)
_REMEMBER = "        self.remember(session, grant)\n"
_IS_REFRESH = f'{IS_TOKEN} and dict(request.form)["grant_type"] == "refresh_token"'
_REFUSED = "        refuse_failure(response)\n"

GRANT_MUTANTS = (
    Mutant(
        "data at one site",
        "data-site",
        "broken",
        sends(
            'if request.path.endswith("/monitor"):',
            '    request = replace(request, site=sites.named("us1"))',
            "return super().send(request)",
        ),
    ),
    Mutant(
        "refreshes at one site",
        "refresh-site",
        "broken",
        sends(
            f"if {_IS_REFRESH}:",
            '    request = replace(request, site=sites.named("us1"))',
            "return super().send(request)",
        ),
    ),
    Mutant(
        "a refresh a call",
        "refresh-when-needed",
        "risk",
        (
            (
                CALL,
                f"self.grant(request).renew()\n        {CALL}",
            ),
        ),
        also=(("single-flight", "each of eight calls refreshes, and rotation ends the grant"),),
    ),
    Mutant(
        "a refresh for each of eight",
        "single-flight",
        "broken",
        (
            (
                CALL,
                (
                    "grant = self.grant(request)\n"
                    f"        grant.keep(self.client.refresh(grant.kept()))\n        {CALL}"
                ),
            ),
        ),
    ),
    Mutant(
        "a refresh at a 403",
        "403-no-refresh",
        "risk",
        (
            (
                CALL,
                (
                    f"{CALL}\n        if response.status == 403:\n"
                    "            self.grant(request).renew()"
                ),
            ),
        ),
    ),
    Mutant(
        "no wait at a 429",
        "429-wait",
        "risk",
        (client_with("Http(sleep=lambda _: None)"), ("import os\n", f"import os\n{SENDER}")),
    ),
    Mutant(
        "forgotten and not revoked",
        "revoke",
        "risk",
        (("self.grant(request).end()", "self.grant(request).kept()"),),
    ),
    Mutant(
        "an API key for a call",
        "data-credential",
        "broken",
        sends(
            'if request.path.endswith("/monitor"):',
            '    key = ("dd-api-key", Secret("0" * 32, label="api_key"))',
            "    request = replace(request, headers=(key,))",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "the refresh token lost",
        "refresh-keeps",
        "broken",
        refreshes(
            "new = super().refresh(tokens)",
            "if new.refresh_token != tokens.refresh_token:",
            "    return new",
            'return replace(new, refresh_token=Secret("none", label="refresh_token"))',
        ),
    ),
    Mutant(
        "the first refresh token for ever",
        "refresh-rotated",
        "broken",
        refreshes(
            "new = super().refresh(tokens)",
            "return replace(new, refresh_token=tokens.refresh_token)",
        ),
    ),
    Mutant(
        "a loop of refreshes",
        "refresh-refused",
        "broken",
        refreshes(
            "for _ in range(8):",
            "    try:",
            "        return super().refresh(tokens)",
            "    except DdoauthError:",
            "        pass",
            "return super().refresh(tokens)",
        ),
        also=(
            ("refresh-rotated", "a refresh whose answer was lost is refused in the same loop"),
            ("uninstall-noticed", "the grant has ended, and is refused in the same loop"),
        ),
    ),
    Mutant(
        "a grant given up at a 5xx",
        "refresh-5xx",
        "risk",
        (
            (
                CALL,
                (
                    f"try:\n            {CALL}\n        except DdoauthError:\n"
                    "            self.grant(request).end()\n            raise"
                ),
            ),
        ),
    ),
    Mutant(
        "a 401 left alone",
        "401-once",
        "risk",
        (
            (
                CALL,
                (
                    "listed = monitor_list_request(self.grant(request).tokens())\n"
                    "        response = self.client.http.send(listed)"
                ),
            ),
        ),
    ),
    Mutant(
        "calls after the end",
        "uninstall-noticed",
        "risk",
        (
            (_REMEMBER, f"        SEEN[session] = tokens\n{_REMEMBER}"),
            (
                _LISTED,
                (
                    f"{_LISTED}\n        old = SEEN.get(self.session(request))\n"
                    "        if old and not self.grants(request):\n"
                    "            self.client.http.send(monitor_list_request(old))"
                ),
            ),
            (CLASS, f"SEEN = {{}}\n\n\n{CLASS}"),
        ),
    ),
    Mutant(
        "success whatever comes",
        "scope-disabled",
        "risk",
        (
            (
                CALL,
                (
                    f"try:\n            {CALL}\n        except DdoauthError:\n"
                    '            return JSONResponse({"status": 200})'
                ),
            ),
            (_REFUSED, ""),
        ),
    ),
)
