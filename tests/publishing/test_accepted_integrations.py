"""Accepted integrations break no *must*: the variants come from integrations-extras."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.folders import CLIENT, MANIFEST, README, cut, folder, move, put, swap
from support.places import PARTNERS

from ddoauth_kit.publishing.folder_check import check_folder
from ddoauth_kit.publishing.rules import RULES, Severity

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ("https://login.acme-sensors.com/a", "https://login.acme-sensors.net/a")
BEYOND_THE_SPEC = (
    "api_keys_write",
    "llm_observability_read",
    "logs_read_archives",
    "logs_read_config",
    "logs_read_workspaces",
    "mcp_read",
)
LIST = """- Remove Datadog in your account.
- Once this integration has been uninstalled, any previous authorizations are revoked.
- Additionally, ensure that all API keys associated with this integration have been disabled by
  searching for the integration name on the API Keys page.

"""
# Each with the facts' count of accepted integrations that look so, and what it may say.
ACCEPTED: list[tuple[str, list[Any], list[str]]] = [
    ("heading at level 3 (5 of 51)", [swap(README, "## Uninst", "### Uninst")], []),
    (
        "section after Data Collected",
        [move(README, "## Data", "## Support", before="## Uninst")],
        [],
    ),
    (
        "field after support (10 of 45)",
        [move(MANIFEST, '    "unins', '    "support"', before='    "changelog"')],
        [],
    ),
    (
        "field elsewhere (1 of 45)",
        [move(MANIFEST, '    "unins', '    "support"', before='    "overview"')],
        ["manifest-uninstallation-place"],
    ),
    (
        "two redirect hosts (13 of 37 have more than one)",
        [
            swap(
                CLIENT,
                '"https://login.acme-sensors.com/datadog/callback"',
                f'"{HOSTS[0]}", "{HOSTS[1]}"',
            )
        ],
        ["oauth-one-domain"],
    ),
    (
        "redirect host other than the onboarding host (16 of 37)",
        [swap(CLIENT, "https://login.", "https://api.")],
        [],
    ),
    ("no api_keys_write (6 of 37)", [swap(CLIENT, '"api_keys_write",', "")], []),
    (
        "scopes that are not in the spec",
        [swap(CLIENT, '"api_keys_write"', ", ".join(f'"{name}"' for name in BEYOND_THE_SPEC))],
        [],
    ),
    (
        "a scope that nobody has documented",
        [swap(CLIENT, '"events_read"', '"notebooks_read"')],
        ["oauth-scope-unknown"],
    ),
    (
        "a list directly below the heading",
        [cut(README, "Open the tile and", "## Data"), swap(README, "## Data", LIST + "## Data")],
        ["readme-uninstallation-paragraph"],
    ),
    (
        "own words without the two statements (27 and 17 of 51)",
        [
            cut(README, "Once this", "## Data"),
            swap(README, "## Data", "Then remove the account.\n\n## Data"),
        ],
        ["readme-api-keys", "readme-revoked"],
    ),
    ("all authorizations are revoked", [swap(README, "any previous", "all previous")], []),
    (
        "statements wrapped in the middle",
        [swap(README, "authorizations are revoked", "authorizations are\nrevoked and data stops")],
        [],
    ),
    (
        "Setup at level 3",
        [swap(README, "## Setup", "### Setup\n\nTwo steps.")],
        ["readme-heading-level"],
    ),
    (
        "Troubleshooting instead of Support",
        [swap(README, "## Support", "## Troubleshooting")],
        ["manifest-anchor"],
    ),
    ("no title", [swap(README, "# Acme Sensors\n\n", "")], []),
    (
        "an arrow in the text",
        [swap(README, "click **Authorize", "\u2192 **Authorize")],
        ["readme-characters"],
    ),
    ("a sign of Latin-1", [swap(README, "Acme Sensors sends", "Acme Sensors\u00ae sends")], []),
    ("no media", [cut(MANIFEST, '\n      {\n        "media_type"', '],\n    "classifier')], []),
    ("no oauth object at the top (238 of 262)", [swap(MANIFEST, ',\n  "oauth": {}', "")], []),
    ("an app_uuid of version 7", [swap(MANIFEST, "3b7e5c0a-8a55-4a0b", "0193da66-1a4a-7d09")], []),
    (
        "a dashboard named without its path",
        [swap(MANIFEST, "assets/dashboards/overview.json", "acme_dashboard")],
        [],
    ),
    (
        "staging hosts",
        [swap(CLIENT, "https://login.", "https://staging-api.")],
        ["oauth-redirect-test-host"],
    ),
    ("the domain dev", [swap(CLIENT, "login.acme-sensors.com", "beta.acme-sensors.dev")], []),
]


@pytest.mark.parametrize(
    ("changes", "rules"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_accepted_variants_break_no_must(
    tmp_path: Path, changes: list[Any], rules: list[str]
) -> None:
    """A variant that Datadog has accepted gets the findings listed here, and none is a must."""
    report = check_folder(folder(tmp_path, *changes))
    assert sorted(found.rule.id for found in report.findings) == rules
    assert report.passed


def test_registrations_of_partners_break_no_must(tmp_path: Path) -> None:
    """The files of 24 accepted clients, each in the clean folder, have no finding at must."""
    place = folder(tmp_path)
    for file in PARTNERS:
        shutil.copy(file, place / CLIENT)
        report = check_folder(place)
        assert report.passed, file.name
        known = {"oauth-one-domain", "oauth-redirect-test-host"}
        assert {found.rule.id for found in report.findings} <= known, file.name
    assert len(PARTNERS) == 24


def test_one_partner_in_five_has_hosts_for_tests(tmp_path: Path) -> None:
    """Hosts that look like tests are rare among accepted clients, or the rule would be noise."""
    found = []
    for file in PARTNERS:
        place = folder(tmp_path / file.stem, put(CLIENT, file.read_bytes()))
        rules = {each.rule.id for each in check_folder(place).findings}
        found += [file.name] if "oauth-redirect-test-host" in rules else []
    assert len(found) <= len(PARTNERS) // 5


def test_musts_are_few() -> None:
    """The rules that block publication are those that every accepted integration follows."""
    musts = {rule.id for rule in RULES.values() if rule.severity is Severity.MUST}
    assert musts == {
        "readme-missing",
        "readme-unreadable",
        "readme-uninstallation",
        "readme-uninstallation-place",
        "manifest-missing",
        "manifest-unreadable",
        "manifest-json",
        "manifest-version",
        "manifest-app-uuid",
        "manifest-app-uuid-changed",
        "manifest-uninstallation",
        "manifest-uninstallation-anchor",
        "manifest-oauth",
        "manifest-oauth-file",
        "oauth-unreadable",
        "oauth-json",
        "oauth-fields",
        "oauth-client-role",
        "oauth-secret",
        "oauth-redirect-uri",
        "oauth-redirect-loopback",
        "oauth-onboarding-url",
    }


def test_report_as_json(tmp_path: Path) -> None:
    """The report is one JSON object with findings, counts, notes and the patch."""
    place = folder(tmp_path, cut(MANIFEST, '    "unins', '    "support"'))
    report = json.loads(json.dumps(check_folder(place).as_json()))
    assert list(report) == ["folder", "passed", "counts", "findings", "notes", "patch"]
    assert report["counts"] == {"must": 1, "should": 0, "advice": 0}
    assert report["findings"] == [
        {
            "rule": "manifest-uninstallation",
            "severity": "must",
            "source": "Datadog docs: OAuth for integrations; 30 of 37 accepted ones have it",
            "file": "manifest.json",
            "line": 7,
            "what": "`tile` has no `uninstallation`.",
            "fix": 'Add "uninstallation": "README.md#Uninstallation".',
            "mended_by_patch": True,
        }
    ]
