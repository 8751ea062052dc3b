"""Mistakes of the catalogue, each made in a copy of the reference server, and who must find it."""

from __future__ import annotations

from support.grant_mutants import GRANT_MUTANTS
from support.mutant import BEGUN, CALL, CLASS, HTTP, IS_TOKEN, Mutant, sends

_COMPLETE = "self.client.complete(request.url.query, session=session)"
_KEY = "            ensure_api_key(self.client.http, tokens=tokens, store=self.store)"
_IS_REFRESH = f'{IS_TOKEN} and dict(request.form)["grant_type"] == "refresh_token"'


def _begins(url: str) -> tuple[tuple[str, str], ...]:
    """Change the authorization request."""
    return ((BEGUN, BEGUN.replace("begun.url", url)), ("import os\n", "import os\nimport re\n"))


def _redirect(query: str, *, before: str = "") -> tuple[tuple[str, str], ...]:
    """Change the query of the redirect before the kit reads it."""
    return (
        (
            f"tokens = {_COMPLETE}",
            f"{before}tokens = {_COMPLETE}".replace("request.url.query", query),
        ),
        ("import os\n", "import os\nimport re\nfrom urllib.parse import urlencode\n"),
    )


def _pairs(changed: str) -> tuple[tuple[str, str], ...]:
    """Change the parameters of the redirect, `q`, as a dictionary."""
    return _redirect(
        "urlencode(q)", before=f"q = dict(request.query_params)\n        {changed}\n        "
    )


def _verifier(verifier: str) -> tuple[tuple[str, str], ...]:
    """Let the kit use one verifier."""
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
            (_COMPLETE, _COMPLETE.replace("session=session", 'session="all"')),
            ("session=session\n        )\n", 'session="all"\n        )\n'),
        ),
        also=(("state-checked", "the state of any browser is taken"),),
    ),
    Mutant(
        "states of all browsers",
        "state-checked",
        "broken",
        (
            (_COMPLETE, _COMPLETE.replace("session=session", 'session="all"')),
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
                "        query = request.query_params\n",
                (
                    "        query = request.query_params\n"
                    '        if "eu" in query.get("domain", ""):\n'
                    '            return page("Not here.", status=404)\n'
                ),
            ),
        ),
        also=(("domain-used", "customers of other sites are refused"),),
    ),
    Mutant(
        "tokens at the app host",
        "token-host",
        "risk",
        sends(
            f"if {IS_TOKEN}:",
            "    request = replace(request, host=Host.APP)",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "the older endpoint",
        "token-endpoint",
        "risk",
        sends(
            f"if {IS_TOKEN}:",
            '    request = replace(request, path="/oauth2/v1/token")',
            "return super().send(request)",
        ),
    ),
    Mutant(
        "HTTP Basic",
        "secret-in-body",
        "risk",
        sends(
            f"if {IS_TOKEN}:",
            "    form = dict(request.form)",
            '    secret = form.pop("client_secret").reveal()',
            '    basic = httpx.BasicAuth(form.pop("client_id"), secret)._auth_header',
            '    headers = (*request.headers, ("authorization", Secret(basic, label="basic")))',
            "    request = replace(request, form=tuple(form.items()), headers=headers)",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "the secret in the URL",
        "nothing-in-query",
        "broken",
        sends(
            f"if {IS_TOKEN}:",
            '    query = (("client_secret", dict(request.form)["client_secret"]),)',
            "    request = replace(request, query=query)",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "JSON instead of a form",
        "form-type",
        "risk",
        sends(
            f"if {IS_TOKEN}:",
            "    request = replace(request, form=None, body=dict(request.form))",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "another redirect URI",
        "redirect-uri-same",
        "broken",
        sends(
            f'if {IS_TOKEN} and "redirect_uri" in dict(request.form):',
            '    form = {**dict(request.form), "redirect_uri": "http://127.0.0.1/other"}',
            "    request = replace(request, form=tuple(form.items()))",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "the exchange again",
        "one-exchange",
        "risk",
        sends(
            "answer = super().send(request)",
            f"if {IS_TOKEN} and answer.status >= 500:",
            "    answer = super().send(request)",
            "return answer",
        ),
    ),
    Mutant(
        "a refusal counts",
        "error-shape",
        "broken",
        (
            (
                f"        tokens = {_COMPLETE}",
                (
                    f"        try:\n            tokens = {_COMPLETE}\n"
                    "        except TokenError:\n"
                    '            return page("Connected to Datadog.")'
                ),
            ),
            ("AuthorizationError, DdoauthError,", "AuthorizationError, DdoauthError, TokenError,"),
        ),
    ),
    Mutant(
        "an end at a bad answer",
        "bad-answer",
        "broken",
        (
            (
                f"        tokens = {_COMPLETE}",
                (
                    f"        try:\n            tokens = {_COMPLETE}\n"
                    "        except AnswerError:\n            os._exit(3)"
                ),
            ),
            (
                "AuthorizationError, DdoauthError,",
                "AnswerError, AuthorizationError, DdoauthError,",
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
                '            return page("Log in first.", status=403)\n        tokens',
                (
                    '            return page("Log in first.", status=403)\n'
                    "        if not request.url.query:\n            os._exit(3)\n        tokens"
                ),
            ),
        ),
    ),
    Mutant(
        "words as markup",
        "error-escaped",
        "broken",
        (
            ("async def failed(_: Request", "async def failed(request: Request"),
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
                'return RedirectResponse("/connected", status_code=303, headers=HEADERS)',
                'return page("Connected to Datadog.")',
            ),
        ),
    ),
    Mutant(
        "the code in the log",
        "logs-clean",
        "risk",
        (
            ("        access_log=False,", "        access_log=True,"),
            ('log_level="warning"', 'log_level="info"'),
        ),
    ),
    Mutant(
        "the token in the log",
        "logs-clean",
        "broken",
        (
            (
                "        self.remember(session, tokens)",
                (
                    "        print(tokens.access_token.reveal(), flush=True)\n"
                    "        self.remember(session, tokens)"
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
                f"grant.renew()\n        {CALL}",
            ),
        ),
    ),
    Mutant(
        "a refresh for each of eight",
        "single-flight",
        "broken",
        (
            (
                CALL,
                f"grant.keep(self.client.refresh(grant.kept()))\n        {CALL}",
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
                f"{CALL}\n        if status == 403:\n            grant.renew()",
            ),
        ),
    ),
    Mutant(
        "no wait at a 429",
        "429-wait",
        "risk",
        ((HTTP, "http=Http(timeout=SECONDS, sleep=lambda _: None)"),),
    ),
    Mutant(
        "forgotten and not revoked",
        "revoke",
        "risk",
        (("        grant.end()\n", "        grant.kept()\n"),),
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
            (HTTP, HTTP.replace("Http(", "Bent(")),
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
            ("import uvicorn\n", "from dataclasses import replace\n\nimport uvicorn\n"),
        ),
    ),
    Mutant(
        "another grant type",
        "grant-type",
        "broken",
        sends(
            f"if {IS_TOKEN}:",
            '    form = {**dict(request.form), "grant_type": "code"}',
            "    request = replace(request, form=tuple(form.items()))",
            "return super().send(request)",
        ),
    ),
    Mutant(
        "a redirect followed",
        "post-not-redirected",
        "risk",
        sends(
            "answer = super().send(request)",
            "if answer.status == 307:",
            "    url = dict(answer.headers).get('location', 'https://elsewhere.example/token')",
            "    httpx.post(url, content=request.content(),",
            "        headers={'content-type': request.content_type})",
            "return answer",
        ),
    ),
    Mutant(
        "any certificate",
        "tls-verified",
        "broken",
        sends(
            "try:",
            "    return super().send(request)",
            "except DdoauthError:",
            "    headers = {'content-type': request.content_type}",
            "    httpx.post(request.url, content=request.content(), headers=headers, verify=False)",
            "    raise",
        ),
    ),
    Mutant(
        "a spare scope",
        "least-scope",
        "risk",
        (('environ["SCOPES"].split()', '(environ["SCOPES"] + " dashboards_read").split()'),),
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
        "the exchange again at a refusal",
        "wrong-domain-named",
        "risk",
        (
            *sends(
                "answer = super().send(request)",
                f'if {IS_TOKEN} and answer.status == 400 and "code" in dict(request.form):',
                "    answer = super().send(request)",
                "return answer",
            ),
            ('domain=query.get("domain", ""), site_url=query.get("site", ""), ', ""),
        ),
    ),
    Mutant(
        "five minutes of patience",
        "timeout",
        "risk",
        ((HTTP, "http=Http(timeout=300)"),),
    ),
    Mutant(
        "no login of its own",
        "login-required",
        "risk",
        (
            (
                (
                    "        session = self.session(request)\n        if not session:\n"
                    '            return page("Log in first.", status=403)\n'
                    "        query = request.query_params\n"
                ),
                (
                    '        guest = f"{secrets.token_urlsafe(32)}.61"\n'
                    "        session = self.session(request) or self.signed(guest)\n"
                    "        query = request.query_params\n"
                ),
            ),
            (
                BEGUN,
                (
                    f"{BEGUN.replace('return', 'answer =')}\n"
                    "        answer.set_cookie(COOKIE, session, httponly=True, samesite='lax')\n"
                    "        return answer"
                ),
            ),
        ),
    ),
    *GRANT_MUTANTS,
)
