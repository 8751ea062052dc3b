"""Mistakes in the token request, and in the handling of its response."""

from __future__ import annotations

from support.mutant import COMPLETE, IS_TOKEN, Mutant, sends

EXCHANGE_MUTANTS = (
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
            '    headers = (*request.headers, ("Authorization", Secret(basic, label="basic")))',
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
                f"        tokens = {COMPLETE}",
                (
                    f"        try:\n            tokens = {COMPLETE}\n"
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
                f"        tokens = {COMPLETE}",
                (
                    f"        try:\n            tokens = {COMPLETE}\n"
                    "        except AnswerError:\n            os._exit(3)"
                ),
            ),
            (
                "AuthorizationError, DdoauthError,",
                "AnswerError, AuthorizationError, DdoauthError,",
            ),
        ),
        also=(
            ("one-exchange", "an answer that breaks off cannot be read, either"),
            ("post-not-redirected", "a redirect cannot be read as an answer, either"),
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
        "a timeout that nobody catches",
        "timeout",
        "risk",
        (
            *sends(
                "try:",
                "    return super().send(request)",
                "except NetworkError as error:",
                "    raise RuntimeError from error",
            ),
            (
                "AuthorizationError, DdoauthError,",
                "AuthorizationError, DdoauthError, NetworkError,",
            ),
            ("http=Bent()", "http=Bent(timeout=2.0)"),
        ),
    ),
)
