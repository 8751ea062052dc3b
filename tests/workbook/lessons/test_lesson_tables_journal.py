"""A sandbox's journal is shown as a table, and a lab without one says so."""

from __future__ import annotations

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook import Lab, journal_table, open_sandbox_lab, provoke
from ddoauth_kit.workbook.lab.open_lab import Live
from ddoauth_kit.workbook.show.cards import Skipped
from ddoauth_kit.workbook.show.result_table import ResultTable


def test_each_request_is_a_row() -> None:
    """The rows have the method, site, path, status and form fields, but no secret."""
    with open_sandbox_lab("eu1") as lab:
        tokens = lab.exchange(lab.authorize())
        lab.inject("expired-token:1")
        provoke(lab.current_user, tokens)
        table = journal_table(lab)
    assert isinstance(table, ResultTable)
    frame = table.frame
    assert list(frame.columns) == ["method", "site", "path", "status", "form fields"]
    assert list(frame.status) == [200, 303, 200, 401]
    assert set(frame.site) == {"eu1"}
    assert "code_verifier" in frame["form fields"][2]
    assert tokens.access_token.reveal() not in table.text()


def test_a_lab_without_a_sandbox_has_no_journal() -> None:
    """It accepts no faults, and shows why there is nothing to read."""
    with open_sandbox_lab() as lab:
        real = Live(site=lab.site, oauth=lab.oauth, store=lab.backend.store, writes=False, file="")
        bare = Lab(real)
        assert isinstance(journal_table(bare), Skipped)
        error = provoke(bare.inject, "slow:1")
    assert isinstance(error, InputError)
    assert error.code == "no_own_sandbox"
    assert "'slow:1'" in error.what
