"""Check an integration's folder and write a patch with safe fixes.

The check sends nothing anywhere and doesn't change any file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ddoauth_kit.publishing.history import EarlierManifest, earlier_app_uuid, folder_prefix
from ddoauth_kit.publishing.integration import MANIFEST, Integration, Readme, read_integration
from ddoauth_kit.publishing.json_document import Document
from ddoauth_kit.publishing.manifest import manifest_findings
from ddoauth_kit.publishing.oauth_clients import client_findings
from ddoauth_kit.publishing.patch import edited, unified_diff
from ddoauth_kit.publishing.readme import readme_findings
from ddoauth_kit.publishing.requested_scopes import scope_findings
from ddoauth_kit.publishing.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ddoauth_kit.publishing.findings import RuleFinding
    from ddoauth_kit.publishing.integration_files import TextFile
    from ddoauth_kit.publishing.requested_scopes import SavedProbe


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a check.

    `notes` lists anything that could not be checked. `patch` fixes the findings that have edits.
    Its paths are relative to the repository or, without one, to the folder, so `git -C FOLDER
    apply` accepts the patch in both cases.
    """

    folder: str
    findings: tuple[RuleFinding, ...]
    notes: tuple[str, ...] = ()
    patch: str = ""

    @property
    def passed(self) -> bool:
        """Return true unless a *must* rule is broken."""
        return not self.count(Severity.MUST)

    def count(self, severity: Severity) -> int:
        """Return the number of findings with this severity."""
        return sum(found.rule.severity is severity for found in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the report as `--format json` prints it."""
        return {
            "folder": self.folder,
            "passed": self.passed,
            "counts": {str(severity): self.count(severity) for severity in Severity},
            "findings": [found.as_json() for found in self.findings],
            "notes": list(self.notes),
            "patch": self.patch,
        }


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Information from outside the folder."""

    earlier: EarlierManifest
    probes: Sequence[SavedProbe] | None
    unused: Collection[str]


def check_folder(
    path: str | Path,
    *,
    base: str = "",
    earlier: str | Path = "",
    probes: Sequence[SavedProbe] | None = None,
    unused_scopes: Collection[str] = (),
) -> Report:
    """Check a folder; findings are sorted by file (the manifest comes first) and by line.

    `app_uuid` is compared with the value at the git reference `base` or in the manifest `earlier`.
    `probes` are results of `ddoauth probe`, and `unused_scopes` are scopes that none of the
    observed calls used.

    Raises:
        InputError: `not_an_integration`, `bad_base`, `bad_earlier_manifest`.
    """
    integration = read_integration(path)
    history = earlier_app_uuid(integration.folder, base=base, manifest=earlier)
    evidence = _Evidence(history, probes, unused_scopes)
    findings, files = _mended(integration, _findings(integration, evidence), evidence)
    changed = [(before, after) for before, after in files if before != after]
    prefix = (folder_prefix(integration.folder) if changed else None) or ""
    patch = "".join(unified_diff(before, after, prefix=prefix) for before, after in changed)
    notes = (history.note,) if history.note else ()
    return Report(str(path), findings, notes, patch)


def _findings(integration: Integration, evidence: _Evidence) -> tuple[RuleFinding, ...]:
    found: Iterable[RuleFinding] = (
        *manifest_findings(integration, earlier=evidence.earlier),
        *readme_findings(integration),
        *client_findings(integration),
        *scope_findings(integration, probes=evidence.probes, unused=evidence.unused),
    )
    linked = {file.name for file in _files(integration) if file.linked}
    found = (replace(each, edits=()) if each.at.file in linked else each for each in found)
    return tuple(sorted(found, key=_place))


def _place(found: RuleFinding) -> tuple[bool, str, int]:
    return found.at.file != MANIFEST, found.at.file, found.at.line or 0


def _mended(
    integration: Integration, findings: tuple[RuleFinding, ...], evidence: _Evidence
) -> tuple[tuple[RuleFinding, ...], list[tuple[TextFile, TextFile]]]:
    """Return the findings, and the files before and after all edits that fix a finding.

    A finding loses its edits if its rule still reports a problem afterwards, or if its file is a
    link, because git doesn't patch links.
    """
    while True:
        files = _edited(integration, findings)
        changed = {after.name: after for before, after in files if before != after}
        if not changed:
            return findings, files
        after = _findings(read_integration(integration.folder, edited=changed), evidence)
        left = {found.rule.id for found in after}
        kept = tuple(
            replace(found, edits=()) if found.rule.id in left else found for found in findings
        )
        if kept == findings:
            return findings, files
        findings = kept


def _edited(
    integration: Integration, findings: tuple[RuleFinding, ...]
) -> list[tuple[TextFile, TextFile]]:
    edits = [edit for found in findings for edit in found.edits]
    return [
        (file, edited(file, [edit for edit in edits if edit.file == file.name]))
        for file in _files(integration)
    ]


def _files(integration: Integration) -> list[TextFile]:
    """Return the files that a patch may change, except the client's file, which is only a copy."""
    parts = (integration.manifest, integration.readme)
    return [part.file for part in parts if isinstance(part, Document | Readme)]


def listing(report: Report) -> str:
    """List the findings with their fixes, and the counts at the end."""
    width = max((len(str(found.at)) for found in report.findings), default=0)
    lines = []
    for found in report.findings:
        severity = str(found.rule.severity)
        lines.append(f"{severity:<6}  {found.at!s:<{width}}  {found.what} [{found.rule.id}]")
        lines.append(f"{'':<6}  {'':<{width}}  Fix: {found.fix}")
    counts = ", ".join(f"{report.count(severity)} {severity}" for severity in Severity)
    lines.append(f"{counts} in {report.folder!a}.")
    mended = sum(bool(found.edits) for found in report.findings)
    if mended:
        lines.append(
            f"--format diff prints a patch that fixes {mended} of them, for: git -C "
            f"{report.folder!a} apply"
        )
    return "\n".join(lines)
