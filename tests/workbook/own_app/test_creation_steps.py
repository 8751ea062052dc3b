"""Each path to a client is complete, in order, and names the sources of its steps."""

from __future__ import annotations

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.own_app.creation_steps import (
    CREATION,
    OLDER,
    OURS,
    SOURCES,
    TODAY,
    creation_steps,
)


def at(path: str, words: str) -> int:
    """Return the number of the only step that says something."""
    steps = creation_steps(path).frame
    (number,) = steps[steps["do"].str.contains(words, regex=False)]["step"]
    return int(number)


@pytest.mark.parametrize("path", CREATION)
def test_each_step_says_what_to_mind_and_who_says_so(path: str) -> None:
    """No cell is empty, no step is repeated, and the text shows each step in full."""
    table = creation_steps(path)
    steps = table.frame
    assert list(steps.columns) == ["step", "do", "note", "source"]
    assert list(steps["step"]) == list(range(1, len(steps) + 1))
    assert steps["do"].is_unique
    assert (steps[["do", "note", "source"]] != "").all(axis=None)
    assert set(steps["source"]) <= set(SOURCES)
    for text in (*steps["do"], *steps["note"], *steps["source"]):
        assert text in repr(table)


def test_the_source_is_the_page_that_has_the_step() -> None:
    """A listing is of today's docs alone; app and EU come from a page that was replaced."""
    assert set(creation_steps("listing").frame["source"]) == {TODAY}
    assert set(creation_steps("app").frame["source"]) == {OLDER}
    assert list(creation_steps("eu").frame["source"]).count(OURS) == 1
    assert TODAY not in set(creation_steps("eu").frame["source"])


@pytest.mark.parametrize("path", ["listing", "app"])
def test_a_client_is_saved_before_it_is_tested(path: str) -> None:
    """Addresses and scopes are entered, then saved, and the test comes last."""
    entered = [at(path, words) for words in ("redirect URIs", "onboarding URL", "scopes")]
    assert max(entered) < at(path, "Save the changes")
    assert at(path, "Test Authorization") == len(CREATION[path])


def test_the_orders_that_differ() -> None:
    """A listing has its secret before the scopes; an app's client shows its own on creation."""
    assert at("listing", "client secret") < at("listing", "scopes")
    assert at("app", "stable") < at("app", "Confidential") < at("app", "Store id and secret")
    assert at("app", "Store id and secret") < at("app", "redirect URIs")


def test_the_second_site_has_a_client_of_its_own() -> None:
    """The manifest is imported, and the credentials are those of the new site."""
    words = ("sandbox organization", "Export", "Import", "id and secret", "eu1", "Test Authoriz")
    assert [at("eu", each) for each in words] == [1, 2, 3, 4, 5, 6]


def test_an_unknown_path_is_refused() -> None:
    """The sentence lists those that there are."""
    with pytest.raises(InputError, match="listing, app, eu") as caught:
        creation_steps("us")
    assert caught.value.code == "unknown_creation_path"
