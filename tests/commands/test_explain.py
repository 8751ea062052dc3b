"""An error code is explained in the terminal, offline, and every error there says how."""

from __future__ import annotations

import json

import pytest

from ddoauth_kit.cli import main
from ddoauth_kit.errors.explainer import by_code


def test_every_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The cause, evidence and fix appear under their titles."""
    for code in sorted(by_code()):
        assert main(["explain", code]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f"{code}\n\ncause\n  ")
        assert "\n\nevidence\n  " in shown
        assert "\n\nfix\n  " in shown


def test_as_json_it_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the same fields."""
    assert main(["explain", "invalid_grant", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["code"] == "invalid_grant"
    assert found["fix"] == by_code()["invalid_grant"].fix


def test_all_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` prints every code."""
    assert main(["explain", "--list"]) == 0
    assert capsys.readouterr().out.split() == sorted(by_code())


@pytest.mark.parametrize("typed", ["[wrong_state]", " Wrong_State "])
def test_a_code_is_taken_as_it_stands_in_a_message(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets, blanks and capitals of a copied code do no harm."""
    assert main(["explain", typed]) == 0
    assert capsys.readouterr().out.startswith("wrong_state\n")


def test_an_error_names_the_command_that_explains_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command named in a failure message can be typed unchanged."""
    assert main(["scan", "nowhere"]) == 2
    said = capsys.readouterr().err
    assert said.rstrip().endswith("More: ddoauth explain unreadable_path.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("denied-consent", "access_denied"), ("invalid_grnt", "invalid_grant")],
)
def test_a_code_of_the_same_words_is_meant(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelled code, or a fault's name instead of its error, gets a similar code."""
    assert main(["explain", typed]) == 2
    said = capsys.readouterr().err
    assert "Did you mean" in said
    assert meant in said
