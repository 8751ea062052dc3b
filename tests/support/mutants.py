"""Mistakes, each made in a copy of the reference server, with the check that must find it."""

from __future__ import annotations

from support.exchange_mutants import EXCHANGE_MUTANTS
from support.grant_mutants import GRANT_MUTANTS
from support.mutant import (
    BEGUN,
    CLASS,
    COMPLETE,
    IS_TOKEN,
    SENDER,
    Mutant,
    client_with,
    sends,
)

_KEY = "            ensure_api_key(self.client.http, tokens=tokens, store=self.store)"


def _begins(url: str) -> tuple[tuple[str, str], ...]:
    """Change the authorization request."""
    return ((BEGUN, BEGUN.replace("begun.url", url)), ("import os\n", "import os\nimport re\n"))


def _redirect(query: str, *, before: str = "") -> tuple[tuple[str, str], ...]:
    """Change the query of the redirect before the kit reads it."""
    return (
        (
            f"tokens = {COMPLETE}",
            f"{before}tokens = {COMPLETE}".replace("request.url.query", query),
        ),
        ("import os\n", "import os\nimport re\nfrom urllib.parse import urlencode\n"),
    )


def _pairs(changed: str) -> tuple[tuple[str, str], ...]:
    """Change the parameters of the redirect, `q`, as a dictionary."""
    return _redirect(
        "urlencode(q)", before=f"q = dict(request.query_params)\n        {changed}\n        "
    )


def _verifier(verifier: str) -> tuple[tuple[str, str], ...]:
    """Make the kit use a single verifier."""
    lines = (
        "import ddoauth_kit.oauth.authorization_request as kit_request\n"
        "from ddoauth_kit.oauth.pkce import PkcePair, pkce_pair\n\n"
        f"kit_request.new_pkce_pair = lambda: {verifier}\n\n\n{CLASS}"
    )
    return ((CLASS, lines),)


MUTANTS = (
    Mutant(
        "no challenge",
        "pkce-s256",
        "broken",
        _begins('re.sub("&code_challenge(_method)?=[^&]*", "", begun.url)'),
    ),
    Mutant(
        "a plain challenge",
        "pkce-s256",
        "broken",
        _begins('begun.url.replace("_method=S256", "_method=plain")'),
    ),
    Mutant("one verifier for all", "challenge-fresh", "broken", _verifier('pkce_pair("v" * 43)')),
    Mutant(
        "no state",
        "state-sent",
        "risk",
        _begins('re.sub("[?&]state=[^&]*", "", begun.url)'),
    ),
    Mutant(
        "one session for all",
        "browser-bound",
        "broken",
        (
            (COMPLETE, COMPLETE.replace("session=session", 'session="all"')),
            ("session=session\n        )\n", 'session="all"\n        )\n'),
        ),
        also=(("state-checked", "the state of any browser is taken"),),
    ),
    Mutant(
        "states of all browsers",
        "state-checked",
        "broken",
        (
            (COMPLETE, COMPLETE.replace("session=session", 'session="all"')),
            ("session=session\n        )\n", 'session="all"\n        )\n'),
        ),
        also=(("browser-bound", "the state of any browser is taken"),),
    ),
    Mutant("a repeated code", "duplicate-code", "risk", _pairs("")),
    Mutant(
        "one region for all",
        "domain-used",
        "broken",
        _pairs('q |= {"domain": "datadoghq.com", "site": "https://app.datadoghq.com"}'),
        also=(("nine-sites", "customers of other sites are refused"),),
    ),
    Mutant(
        "any domain",
        "domain-allowed",
        "broken",
        (
            *_pairs(
                "httpx.post('https://api.' + q.get('domain', '') + '/api/v2/oauth2/token', "
                "data={'code': q.get('code', ''), 'client_secret': 'x'}) "
                "if 'example' in q.get('domain', '') else None"
            ),
            ("import uvicorn\n", "import httpx\nimport uvicorn\n"),
        ),
    ),
    Mutant(
        "the site as it comes",
        "pair-consistent",
        "risk",
        _pairs("q.pop('site', None)"),
    ),
    Mutant(
        "one site only",
        "nine-sites",
        "broken",
        (
            (
                ", request.query_params\n",
                (
                    ", request.query_params\n"
                    '        if "eu" in query.get("domain", ""):\n'
                    '            return page("Not here.", status=404)\n'
                ),
            ),
        ),
    ),
    Mutant(
        "denied counts",
        "denied",
        "broken",
        _redirect(
            "request.url.query",
            before='if "error" in request.query_params:\n'
            '            return page("Connected to Datadog.")\n        ',
        ),
    ),
    Mutant(
        "an end at a stranger",
        "stranger",
        "broken",
        (
            (
                f"        tokens = {COMPLETE}",
                (
                    "        if not request.url.query:\n            os._exit(3)\n"
                    f"        tokens = {COMPLETE}"
                ),
            ),
        ),
    ),
    Mutant(
        "words as markup",
        "error-escaped",
        "broken",
        (
            ("def failed(_: Request", "def failed(request: Request"),
            (
                'return page(f"{escape(error.what)}',
                (
                    "words = request.query_params.get('error_description', '')\n"
                    '    return page(f"{words} {escape(error.what)}'
                ),
            ),
        ),
    ),
    Mutant(
        "the token on the page",
        "page-clean",
        "broken",
        (
            (
                'f"Connected to Datadog: {tokens.dd_org_name',
                'f"Connected to Datadog: {tokens.access_token.reveal()} {tokens.dd_org_name',
            ),
        ),
    ),
    Mutant(
        "a page that is stored", "page-clean", "risk", (('    "Cache-Control": "no-store",\n', ""),)
    ),
    Mutant(
        "the code in the bar",
        "code-leaves-bar",
        "risk",
        (
            (
                'return RedirectResponse("/connected", 303)',
                'return page("Connected to Datadog.")',
            ),
        ),
    ),
    Mutant(
        "the code in the log",
        "logs-clean",
        "risk",
        (("access_log=False", "access_log=True"),),
    ),
    Mutant(
        "the token in the log",
        "logs-clean",
        "broken",
        (
            (
                "        self.remember(session, grant)",
                (
                    "        print(tokens.access_token.reveal(), flush=True)\n"
                    "        self.remember(session, grant)"
                ),
            ),
        ),
    ),
    Mutant(
        "commas between scopes",
        "scope-valid",
        "broken",
        _begins('re.sub("(?<=_read)(%20|[+])", ",", begun.url)'),
    ),
    Mutant(
        "narrowed unseen",
        "scope-narrowed",
        "risk",
        (
            (
                "* bool(tokens.scopes.withheld)",
                "* 0",
            ),
        ),
    ),
    Mutant(
        "a key for each connect",
        "key-once",
        "risk",
        (
            (
                f"{_KEY}\n        self",
                f"{_KEY.replace('self.store', 'MemoryStore()')}\n        self",
            ),
            ("import os\n", "import os\nfrom ddoauth_kit.store import MemoryStore\n"),
        ),
    ),
    Mutant(
        "a lost key unseen",
        "key-409",
        "broken",
        (
            (
                f"{_KEY}\n        self",
                (
                    f"            try:\n    {_KEY}\n"
                    "            except DdoauthError:\n                pass\n        self"
                ),
            ),
        ),
    ),
    Mutant(
        "the client of the redirect",
        "client-id-own",
        "risk",
        (
            *_redirect(
                "re.sub('client_id=[^&]*', 'client_id=' + os.environ['DD_CLIENT_ID'], "
                "request.url.query)",
                before="SEEN['client_id'] = request.query_params['client_id']\n        ",
            ),
            (CLASS, f"SEEN: dict[str, str] = {{}}\n\n\n{CLASS}"),
            client_with("Bent()"),
            (
                "def page(",
                (
                    "class Bent(Http):\n    def send(self, request):\n"
                    "        if request.form is not None and SEEN:\n"
                    "            form = {**dict(request.form), **SEEN}\n"
                    "            request = replace(request, form=tuple(form.items()))\n"
                    "        return super().send(request)\n\n\ndef page("
                ),
            ),
            ("import uvicorn\n", f"from dataclasses import replace\n{SENDER}import uvicorn\n"),
        ),
    ),
    Mutant(
        "a spare scope",
        "least-scope",
        "risk",
        (('env["SCOPES"].split()', '(env["SCOPES"] + " dashboards_read").split()'),),
    ),
    Mutant(
        "a short verifier",
        "verifier-length",
        "broken",
        (
            *_verifier("pkce_pair(secrets.token_urlsafe(27))"),
            (
                "import os\n",
                (
                    "import os\nimport re\nimport ddoauth_kit.oauth.pkce as kit_pkce\n"
                    'kit_pkce._VERIFIER = re.compile(".+")\n'
                ),
            ),
        ),
    ),
    Mutant(
        "a missing state filled in",
        "state-required",
        "risk",
        (
            *_pairs("q.setdefault('state', LAST.get(session, ''))"),
            (BEGUN, f"LAST[session] = begun.state.reveal()\n        {BEGUN}"),
            (CLASS, f"LAST = {{}}\n\n\n{CLASS}"),
        ),
    ),
    Mutant(
        "an attempt that stays",
        "state-once",
        "risk",
        (
            ("SharedPending(FileRecords(", "SharedPending(Kept("),
            (
                CLASS,
                (
                    "class Kept(FileRecords):\n    def delete(self, key):\n"
                    f"        return True\n\n\n{CLASS}"
                ),
            ),
        ),
    ),
    Mutant(
        "tokens at the customer's own host",
        "vanity",
        "broken",
        (
            *_redirect(
                "request.url.query",
                before="SEEN['site'] = request.query_params.get('site', '')\n        ",
            ),
            *sends(
                f'if {IS_TOKEN} and "globex" in SEEN.get("site", ""):',
                "    httpx.post(SEEN['site'] + request.path, content=request.content(),",
                "        headers={'content-type': request.content_type})",
                "return super().send(request)",
            ),
            (CLASS, f"SEEN = {{}}\n\n\n{CLASS}"),
        ),
    ),
    Mutant(
        "no login of its own",
        "login-required",
        "risk",
        (
            (
                "        session, query = self.session(request), request.query_params\n",
                (
                    "        query = request.query_params\n"
                    "        try:\n            session = self.session(request)\n"
                    "        except HTTPException:\n"
                    '            session = self.signed(f"61.{secrets.token_urlsafe(32)}")\n'
                ),
            ),
            (
                BEGUN,
                (
                    f"{BEGUN.replace('return', 'answer =')}\n"
                    "        answer.set_cookie('acme_session', session, httponly=True)\n"
                    "        return answer"
                ),
            ),
        ),
    ),
    *EXCHANGE_MUTANTS,
    *GRANT_MUTANTS,
)
