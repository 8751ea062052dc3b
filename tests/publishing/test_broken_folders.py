"""Each folder is broken in one way, and exactly the rule for it says so, with file and line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from support.folders import CLEAN, CLIENT, MANIFEST, README, cut, folder, move, put, remove, swap

from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.requested_scopes import SavedProbe
from ddoauth_kit.publishing.rules import RULES

if TYPE_CHECKING:
    from pathlib import Path

# What begins or half ends something in Markdown or HTML.
RUNS = (
    *("<!--", "-->", "<!-- -->", "<a ", "</div>", "<p>", "<h2>", "<h2>Uninstallation</h2>", "<?"),
    *("<![CDATA[", "<img src=", '<a href="', "<details>", "&lt;", "[a](", "![a](", "[[", "]("),
    *("> ", "```\n", "~~~\n", "`a", "[^1]", "$$", "http://a", "\\", "# ", "\n\n"),
)
UUID = "3b7e5c0a-8a55-4a0b-9d9c-54c2f9f0a1d7"
OTHER = "0193da66-1a4a-7d09-b520-469edb80cf24"
REDIRECT = '"https://login.acme-sensors.com/datadog/callback"'
PICTURE = """      {
        "media_type": "image",
        "caption": "One greenhouse by day",
        "image_url": "images/overview.png"
      }"""
VIDEO = '{"media_type": "video", "caption": "c", "video_url": "https://vimeo.com/1"}'
STATEMENTS = "Open the tile and click **Uninstall Integration**.\n"
REVOKED = "Once this integration has been uninstalled, any previous authorizations are revoked.\n"
KEYS = "Additionally, ensure"


def _pictures(number: int) -> str:
    return ",\n".join([PICTURE] * number)


def _redirects(*uris: str) -> Any:
    return swap(CLIENT, REDIRECT, ", ".join(f'"{uri}"' for uri in uris))


BROKEN = [
    ("readme-missing", "README.md", [remove(README)]),
    ("readme-unreadable", "README.md", [put(README, b"\x89PNG\0\r\n")]),
    ("readme-unreadable", "README.md", [put(README, b"# Caf\xe9\n")]),
    ("readme-unreadable", "README.md", [put(README, "long " * 100_000)]),
    ("readme-uninstallation", "README.md", [cut(README, "## Uninst", "## Data")]),
    ("readme-uninstallation", "README.md:22", [swap(README, "## Uninst", "#### Uninst")]),
    ("readme-uninstallation", "README.md:22", [swap(README, "## Uninst", "# Uninst")]),
    ("readme-uninstallation", "README.md:22", [swap(README, "Uninstallation", "Uninstall it")]),
    ("readme-uninstallation", "README.md", [swap(README, "## Uninst", "<!-- -->\n    ## Uninst")]),
    (
        "readme-uninstallation-place",
        "README.md:11",
        [move(README, "## Uninst", "## Data", before="## Setup")],
    ),
    (
        "readme-uninstallation-twice",
        "README.md:29",
        [swap(README, "## Data", "## Uninstallation\n\nSee above.\n\n## Data")],
    ),
    ("readme-uninstallation-empty", "README.md:22", [cut(README, STATEMENTS, "## Data")]),
    (
        "readme-uninstallation-empty",
        "README.md:22",
        [cut(README, STATEMENTS, "## Data"), swap(README, "## Data", "<!-- soon -->\n\n## Data")],
    ),
    ("readme-uninstallation-paragraph", "README.md:24", [swap(README, "Open the tile and", "- O")]),
    ("readme-revoked", "README.md:22", [cut(README, REVOKED, "\n")]),
    ("readme-api-keys", "README.md:22", [cut(README, KEYS, "## Data")]),
    (
        "readme-api-keys",
        "README.md:22",
        [swap(README, "by searching for the integration name ", "")],
    ),
    ("readme-overview", "README.md", [swap(README, "## Overview", "## What it is")]),
    ("readme-overview-empty", "README.md:3", [cut(README, "Acme Sensors sends", "## Setup")]),
    ("readme-setup", "README.md", [swap(README, "## Setup", "## How to")]),
    ("readme-setup-empty", "README.md:11", [cut(README, "### Installation", "## Uninst")]),
    ("readme-heading-level", "README.md:3", [swap(README, "## Overview", "### Overview")]),
    (
        "readme-image-host",
        "README.md:7",
        [swap(README, "(images/overview.png)", "(https://acme-sensors.com/overview.png)")],
    ),
    (
        "readme-image-host",
        "README.md:10",
        [swap(README, "![The same", '<p>\n<img src="http://x.example/1.png">\n</p>\n\n![The same')],
    ),
    ("readme-image-missing", "README.md:7", [swap(README, "(images/over", "(images/under")]),
    ("readme-image-missing", "README.md:7", [swap(README, "(images/over", "(images/../../over")]),
    ("readme-characters", "README.md:15", [swap(README, "Open the tile of", "Open \u2192")]),
    ("manifest-missing", "manifest.json", [remove(MANIFEST)]),
    ("manifest-unreadable", "manifest.json", [put(MANIFEST, b"{\0}")]),
    ("manifest-json", "manifest.json:4", [swap(MANIFEST, f'"{UUID}",', f'"{UUID}"')]),
    ("manifest-json", "manifest.json:1", [put(MANIFEST, "[]")]),
    ("manifest-json", "manifest.json:1", [put(MANIFEST, "[" * 100_000)]),
    ("manifest-version", "manifest.json:2", [swap(MANIFEST, '"2.0.0"', '"1.0.0"')]),
    ("manifest-version", "manifest.json:1", [swap(MANIFEST, '"manifest_version": "2.0.0",', "")]),
    (
        "manifest-duplicate-key",
        "manifest.json:5",
        [swap(MANIFEST, '"owner"', '"app_id": "acme-sensors",\n"owner"')],
    ),
    ("manifest-fields", "manifest.json:1", [swap(MANIFEST, '  "owner": "acme",\n', "")]),
    ("manifest-fields", "manifest.json:7", [cut(MANIFEST, '    "changelog"', '    "description"')]),
    ("manifest-app-uuid", "manifest.json:1", [cut(MANIFEST, '  "app_uuid"', '  "app_id"')]),
    ("manifest-app-uuid", "manifest.json:3", [swap(MANIFEST, f'"{UUID}"', "null")]),
    ("manifest-app-uuid-format", "manifest.json:3", [swap(MANIFEST, UUID, "acme")]),
    ("manifest-uninstallation", "manifest.json:7", [cut(MANIFEST, '    "unins', '    "support"')]),
    (
        "manifest-uninstallation-anchor",
        "manifest.json:10",
        [swap(MANIFEST, "#Uninstallation", "#Uninstall")],
    ),
    (
        "manifest-uninstallation-anchor",
        "manifest.json:10",
        [swap(MANIFEST, "README.md#Unins", "readme.html#Unins")],
    ),
    (
        "manifest-uninstallation-place",
        "manifest.json:8",
        [move(MANIFEST, '    "unins', '    "support"', before='    "overview"')],
    ),
    ("manifest-anchor", "manifest.json:11", [swap(MANIFEST, "#Support", "#Help")]),
    ("manifest-description", "manifest.json:13", [swap(MANIFEST, "Watch the", "W" * 80)]),
    (
        "manifest-description",
        "manifest.json:13",
        [swap(MANIFEST, "Watch the temperatures of your greenhouses", " ")],
    ),
    ("manifest-media-count", "manifest.json:15", [swap(MANIFEST, PICTURE, _pictures(9))]),
    (
        "manifest-media-videos",
        "manifest.json:17",
        [swap(MANIFEST, PICTURE, f"{VIDEO},\n{VIDEO}")],
    ),
    (
        "manifest-media-format",
        "manifest.json:19",
        [swap(MANIFEST, "images/overview.png", "images/o.gif"), put("images/o.gif", b"GIF89a")],
    ),
    ("manifest-media-size", "manifest.json:19", [put("images/overview.png", bytes(1_000_001))]),
    ("manifest-media-caption", "manifest.json:18", [swap(MANIFEST, "One green", "O" * 300)]),
    (
        "manifest-file-missing",
        "manifest.json:19",
        [swap(MANIFEST, "images/overview.png", "images/none.png")],
    ),
    ("manifest-file-missing", "manifest.json:12", [remove("CHANGELOG.md")]),
    ("manifest-file-missing", "manifest.json:30", [remove("assets/dashboards/overview.json")]),
    ("manifest-file-missing", "manifest.json:40", [remove("metadata.csv")]),
    (
        "manifest-public-website",
        "manifest.json:6",
        [swap(MANIFEST, ': false,\n  "tile', ': "no",\n  "tile')],
    ),
    ("manifest-support-email", "manifest.json:50", [swap(MANIFEST, "support@", "supp\u00f6rt@")]),
    (
        "manifest-oauth",
        "manifest.json:28",
        [swap(MANIFEST, ',\n    "oauth": "assets/oauth_clients.json"', "")],
    ),
    ("manifest-oauth-file", "manifest.json:44", [remove(CLIENT)]),
    ("manifest-oauth-file", "manifest.json:44", [swap(MANIFEST, '"assets/oauth', '"../oauth')]),
    (
        "oauth-missing",
        "assets/oauth_clients.json",
        [remove(CLIENT), swap(MANIFEST, ',\n    "oauth": "assets/oauth_clients.json"', "")],
    ),
    ("oauth-unreadable", "assets/oauth_clients.json", [put(CLIENT, b"\xff\xfe{\0}\0")]),
    ("oauth-json", "assets/oauth_clients.json:2", [put(CLIENT, '{\n  "integration": }\n')]),
    ("oauth-json", "assets/oauth_clients.json:1", [put(CLIENT, '{"integration": []}')]),
    (
        "oauth-fields",
        "assets/oauth_clients.json:14",
        [swap(CLIENT, '"6dd8ed6c-4c2b-11f0-9c0e-da7ad0900002"', '""')],
    ),
    ("oauth-fields", "assets/oauth_clients.json:7", [swap(CLIENT, REDIRECT, "")]),
    ("oauth-fields", "assets/oauth_clients.json:10", [swap(CLIENT, '"events_read"', "7")]),
    (
        "oauth-client-role",
        "assets/oauth_clients.json:5",
        [swap(CLIENT, '"integration",', '"user",')],
    ),
    (
        "oauth-secret",
        "assets/oauth_clients.json:3",
        [swap(CLIENT, '"name"', '"client_secret": "canary",\n"name"')],
    ),
    (
        "oauth-redirect-uri",
        "assets/oauth_clients.json:8",
        [_redirects("http://acme-sensors.com/c")],
    ),
    ("oauth-redirect-uri", "assets/oauth_clients.json:8", [_redirects("https://acme.com/c#top")]),
    ("oauth-redirect-uri", "assets/oauth_clients.json:8", [_redirects("https://*.acme.com/c")]),
    ("oauth-redirect-uri", "assets/oauth_clients.json:8", [_redirects("/datadog/callback")]),
    ("oauth-redirect-uri", "assets/oauth_clients.json:8", [_redirects("https://[acme/c")]),
    (
        "oauth-redirect-loopback",
        "assets/oauth_clients.json:8",
        [_redirects("http://localhost:1/c")],
    ),
    ("oauth-redirect-loopback", "assets/oauth_clients.json:8", [_redirects("https://127.1.2.3/c")]),
    ("oauth-redirect-loopback", "assets/oauth_clients.json:8", [_redirects("https://[::1]/c")]),
    (
        "oauth-redirect-test-host",
        "assets/oauth_clients.json:8",
        [_redirects("https://login-staging.acme-sensors.com/c")],
    ),
    ("oauth-redirect-test-host", "assets/oauth_clients.json:8", [_redirects("https://10.0.0.7/c")]),
    (
        "oauth-redirect-test-host",
        "assets/oauth_clients.json:8",
        [_redirects("https://a1.ngrok.io/")],
    ),
    (
        "oauth-one-domain",
        "assets/oauth_clients.json:7",
        [_redirects("https://a.acme-sensors.com/c", "https://b.acme-sensors.com/c")],
    ),
    (
        "oauth-onboarding-url",
        "assets/oauth_clients.json:6",
        [swap(CLIENT, "https://app", "http://app")],
    ),
    (
        "oauth-onboarding-url",
        "assets/oauth_clients.json:6",
        [swap(CLIENT, "app.acme-sensors.com", "localhost")],
    ),
    (
        "oauth-duplicates",
        "assets/oauth_clients.json:12",
        [swap(CLIENT, '"events_read"', '"api_keys_write"')],
    ),
    (
        "oauth-scopes-empty",
        "assets/oauth_clients.json:10",
        [cut(CLIENT, '"api_keys_write"', '],\n    "id"')],
    ),
    (
        "oauth-scope-unknown",
        "assets/oauth_clients.json:12",
        [swap(CLIENT, "events_read", "evnts_read")],
    ),
]
PROBED = [
    SavedProbe("us1", "api_keys_write", "confirmed"),
    SavedProbe("us1", "events_read", "let_through"),
]
REFUSED = SavedProbe("eu1", "events_read", "refused")
FAILED = SavedProbe("eu1", "events_read", "failed")
WITH_EVIDENCE = [
    ("manifest-app-uuid-changed", "manifest.json:3", {"earlier": OTHER}),
    ("oauth-scope-unused", "assets/oauth_clients.json:12", {"unused_scopes": {"events_read"}}),
    ("oauth-scope-refused", "assets/oauth_clients.json:12", {"probes": [*PROBED, REFUSED]}),
    ("oauth-scope-refused", "assets/oauth_clients.json:12", {"probes": [*PROBED, FAILED]}),
    ("oauth-scope-unprobed", "assets/oauth_clients.json:12", {"probes": PROBED[:1]}),
    (
        "oauth-scope-unprobed",
        "assets/oauth_clients.json:12",
        {"probes": [PROBED[0], SavedProbe("us1", "events_read", "not_tried")]},
    ),
]


def test_clean_folder_has_no_finding() -> None:
    """The folder that all others are made from has no findings."""
    report = check_folder(CLEAN)
    assert report.findings == ()
    assert report.patch == ""
    assert report.passed


@pytest.mark.parametrize(("rule", "place", "changes"), BROKEN)
def test_one_breach_is_found_by_one_rule(
    tmp_path: Path, rule: str, place: str, changes: list[Any]
) -> None:
    """A folder with one mistake has one finding, from the rule that should find it.

    Its problem and its fix are sentences in ASCII, on one line each.
    """
    report = check_folder(folder(tmp_path, *changes))
    (found,) = report.findings
    assert (found.rule.id, str(found.at)) == (rule, place)
    assert report.passed == (RULES[rule].severity != "must")
    for text in (found.what, found.fix):
        assert text.isascii()
        assert text.isprintable()
        assert text.endswith(".")
        assert "canary" not in text


@pytest.mark.parametrize(("rule", "place", "evidence"), WITH_EVIDENCE)
def test_evidence_from_outside(
    tmp_path: Path, rule: str, place: str, evidence: dict[str, Any]
) -> None:
    """An earlier manifest, probes and unused scopes each lead to their own finding."""
    if "earlier" in evidence:
        earlier = tmp_path / "earlier.json"
        earlier.write_text(f'{{"app_uuid": "{evidence["earlier"]}"}}', "utf-8")
        evidence = {"earlier": earlier}
    report = check_folder(CLEAN, **evidence)
    assert [(found.rule.id, str(found.at)) for found in report.findings] == [(rule, place)]


@pytest.mark.parametrize(
    "verdict",
    [
        "confirmed",
        "let_through",
        "not_oauth",
        "not_on_site",
        "rate_limited",
        "no_operation",
        "inconclusive",
    ],
)
def test_other_verdicts_are_no_finding(verdict: str) -> None:
    """A scope that was probed without a refusal is fine, whatever the verdict."""
    probes = [SavedProbe("us1", scope, verdict) for scope in ("api_keys_write", "events_read")]
    assert check_folder(CLEAN, probes=probes).findings == ()


def test_every_rule_has_a_folder() -> None:
    """Every rule has a folder that breaks it, and there are more than forty folders."""
    assert {rule for rule, *_ in (*BROKEN, *WITH_EVIDENCE)} == set(RULES)
    assert len(BROKEN) + len(WITH_EVIDENCE) >= 40


@pytest.mark.checklist("N9")
def test_a_readme_of_one_kind_takes_a_time_in_line(tmp_path: Path) -> None:
    """30 kB of each of 28 pieces are checked in a fraction of a second of processor time."""
    place = folder(tmp_path)
    assert len(RUNS) == 28
    for run in RUNS:
        text = f"# Acme\n\n## Overview\n\n{run * (30_000 // len(run))}"
        (place / README).write_text(text, "utf-8")
        begun = time.thread_time()
        check_folder(place)
        assert time.thread_time() - begun < 1.5, run
