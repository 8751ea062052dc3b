"""The doctor's findings are shown as a table, in whole or in part."""

from __future__ import annotations

from ddoauth_kit.doctor import examine
from ddoauth_kit.workbook import findings_table

ENVIRON = {"DDOAUTH_STORE": "memory", "SSL_CERT_FILE": "nowhere.pem", "SSLKEYLOGFILE": "keys.log"}


def test_findings_are_rows() -> None:
    """Every finding has its row, with the status as text."""
    findings = examine(offline=True, environ=ENVIRON)
    frame = findings_table(findings).frame
    assert list(frame.columns) == ["check", "status", "found", "next step"]
    assert list(frame.check) == [each.check for each in findings]
    assert set(frame.status) <= {"ok", "note", "unknown", "problem"}


def test_some_findings_are_chosen_by_name() -> None:
    """With names, the others are left out."""
    frame = findings_table(examine(offline=True, environ=ENVIRON), "TLS").frame
    assert list(frame.check) == ["TLS", "TLS key log"]
    assert set(frame.status) == {"problem"}
