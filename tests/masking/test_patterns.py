"""One table describes the formats of secrets and of text that only looks like one."""

from __future__ import annotations

import pytest

from ddoauth_kit.masking.patterns import PREFIXES, field_label
from ddoauth_kit.masking.redaction import redact

HEX = "c0ffee00c0ffee11c0ffee22c0ffee33"
COMMIT = HEX + "c0ffee44"
VALUE = "canary-4711-Value"


@pytest.mark.parametrize(
    "text",
    [
        *(f"{prefix}_{'a1B2c3D4' * 4}" for prefix in PREFIXES),
        *(f"x={prefix}_{'Zz09' * 8};" for prefix in PREFIXES),
        f"pub{HEX}",
        *(
            HEX.upper(),
            COMMIT.upper(),
            HEX[:16] + HEX[16:].upper(),
            f"/{HEX}",
            f"-{HEX}",
            f"@{HEX}",
        ),
        *(f"key:{HEX}", f"x_{HEX}", f"({HEX})", f"{HEX}/x", f"https://a.example/{HEX}?b"),
        f"https://http-intake.logs.datadoghq.com/v1/input/{HEX}",
        f"/v1/input/{HEX}/api",
        f"https://user:{VALUE}@a.example/x",
        f"postgres://user:{VALUE}@db:5432/x",
        "https://a1b2c3d4e5f6a7b8c9d0e1@a.example/x",
        f"curl -s -u admin:{VALUE} https://a.example",
        f"curl --user 'admin:{VALUE}' https://a.example",
        f"https://a.example/cb?code={VALUE}&state=abcdef-1&site=us1",
        f"https://a.example/cb?site=x&code={VALUE}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        f"Authorization: Bearer {VALUE}",
        f"authorization: basic {VALUE}",
    ],
)
def test_shapes(text: str) -> None:
    """Prefixes, keys in any case and after any sign, tokens, and credentials in addresses."""
    masked = redact(text)
    assert masked != text
    assert not [part for part in (HEX[:20], VALUE, "Zz09Zz09", "a1b2c3d4e5") if part in masked]
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "name",
    [
        *("client_secret", "refresh_token", "access_token", "id_token", "code_verifier", "api_key"),
        *("application_key", "app_key", "DD-API-KEY", "DD-APPLICATION-KEY", "clientSecret"),
        *("DDOAUTH_CLIENT_SECRET", "DDOAUTH_REFRESH_TOKEN_US1", "DDOAUTH_API_KEY_EU1__ACME"),
        *("DDOAUTH_GRANT_US1", "DD_API_KEY", "MY_APP_KEY"),
    ],
)
@pytest.mark.parametrize(
    "notation",
    ['"{}": "{}"', "{}={}", "export {}={}", "{}: {}", "{} = '{}'", "<{0}>{1}</{0}>", "a&{}={}&b"],
)
def test_names(name: str, notation: str) -> None:
    """A value is known by the name of its field or variable, in each notation."""
    assert VALUE not in redact(notation.format(name, VALUE))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "client_secret = os.environ['A1_B2']",
            "client_secret=client_secret",
            "api_key: str = ''",
        ),
        *("access_token = get_token(site1)", "token_type=bearer", "refresh_token: your-token-1"),
        *('"client_secret": "<client_secret>"', "api_key=${API_KEY_1}", "token = tokens[0]"),
        '"access_token": "&lt;access_token&gt;"',
        *("max_tokens=4096000", "PAGE_TOKEN=abcdef123456", "TOKEN_URL=https://a.example/b1c2d3"),
        *("password=password", "the secret is that 12345678", "api_key = settings.API_KEY_1"),
        *("https://user:password@a.example", "https://a.example/?state=CA", "?code=200&a=b"),
        *("docker run -u 1000:1000 a", "Basic authentication", "Bearer token", "basic-auth"),
        *("1" * 32, "0" * 40, "F" * 32, "0.12345678901234567890123456789012", "a" * 64),
        *(f"uses: a/b@{COMMIT}", f"rev: {COMMIT}", f"commit {COMMIT}", f'"sha": "{COMMIT}"'),
        *(f"https://github.com/a/b/commit/{COMMIT}", f"git+https://a.example/b@{COMMIT}"),
        *(f'"checksum": "{HEX}"', f"md5={HEX}", f"run_id: {HEX}", f'"traceId": "{HEX}"'),
        *(f"/scratch/{HEX}/client.json", f'id="_anim_radio1_{HEX}"', f'"model_id": "{HEX}"'),
        *(f"altair-viz-{HEX}", f"map_{HEX}", "6dd8ed6c-0000-4000-8000-00000000c11e"),
    ],
)
def test_false_alarms(text: str) -> None:
    """Code, placeholders, prose, numbers, ids and commits at their places stay."""
    assert redact(text) == text


def test_labels() -> None:
    """A name determines the placeholder for its value."""
    names = ("clientSecret", "DD-APPLICATION-KEY", "DDOAUTH_REFRESH_TOKEN_US1_FED", "scope")
    assert [field_label(name) for name in names] == [
        "client_secret",
        "dd-application-key",
        "refresh_token",
        "",
    ]


def test_what_was_masked_is_no_element() -> None:
    """A placeholder for a secret is not taken for an element whose value is the text after it."""
    masked = "&lt;DDOAUTH_REFRESH_TOKEN_US1&gt;\no358Ckx1AAA=\n</pre></div>"
    assert redact(masked) == masked
    assert "o358" not in redact("<refresh_token>\no358Ckx1AAA=\n</refresh_token>")
