"""A variable is read as people write it, and what is not understood is named, without its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from ddoauth_kit import registration_from_environment
from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.environment_values import path_in, value_of, words_of
from ddoauth_kit.errors import InputError

BLANK = st.text(" \t\r\n", max_size=3)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789_:/.", min_size=1, max_size=12)
BOTH = {"DDOAUTH_CLIENT_ID": "general", "DDOAUTH_CLIENT_SECRET": "canary-secret"}


@generated(BLANK, st.lists(WORD, max_size=4, unique=True), BLANK)
def test_blanks_and_line_ends_do_not_count(before: str, words: list[str], after: str) -> None:
    """A carriage return at the end is not part of a value, and an empty value is unset."""
    environ = {"X": f"{before}{' '.join(words)}{after}"}
    assert value_of("X", environ) == " ".join(words)
    assert words_of("X", environ) == tuple(words)
    assert value_of("Y", environ) == ""


@generated(
    st.sampled_from("'\"`\u201c\u201d\u2018\u2019\u00ab"), WORD, st.booleans(), st.booleans()
)
def test_quotation_marks_are_named(mark: str, word: str, before: bool, after: bool) -> None:  # noqa: FBT001
    """One at either end is refused by the variable's name, and the value is not shown."""
    if not before and not after:
        return
    environ = {
        "DDOAUTH_CLIENT_SECRET": f"{mark if before else ''}{word}canary{mark if after else ''}"
    }
    with pytest.raises(InputError, match="DDOAUTH_CLIENT_SECRET") as caught:
        value_of("DDOAUTH_CLIENT_SECRET", environ)
    assert caught.value.code == "bad_variable"
    assert "canary" not in str(caught.value)


PLACEHOLDERS = ("${%s}", "$%s", "$(%s)", "{{ %s }}", "${{ secrets.%s }}", "%%%s%%", "<%s>")


@generated(st.sampled_from(PLACEHOLDERS), st.from_regex(r"[A-Za-z_]{1,12}", fullmatch=True), BLANK)
def test_a_placeholder_is_not_a_value(written: str, word: str, blank: str) -> None:
    """A placeholder that a shell, CI or a person should have replaced is refused by name."""
    for name in ("DDOAUTH_CLIENT_ID", "DDOAUTH_CLIENT_SECRET"):
        with pytest.raises(InputError, match=f"{name} contains a placeholder"):
            registration_from_environment(environ={**BOTH, name: blank + written % word + blank})


@pytest.mark.parametrize("between", [",", ", ", " ,", ";"])
@pytest.mark.parametrize("name", ["DDOAUTH_SCOPES", "DDOAUTH_REDIRECT_URIS"])
def test_a_comma_between_words_is_named(name: str, between: str) -> None:
    """Scopes and redirect URIs never contain one, so two values never become one."""
    with pytest.raises(InputError, match=name) as caught:
        registration_from_environment(
            environ={**BOTH, name: f"https://a.b/x{between}https://a.b/y"}
        )
    assert caught.value.code == "bad_variable"


@pytest.mark.parametrize("empty", ["", " ", "\r\n"])
def test_an_empty_variable_is_unset(empty: str) -> None:
    """CI's empty value for a missing secret does not hide a valid one."""
    environ = {**BOTH, "DDOAUTH_CLIENT_ID_US1": empty, "DDOAUTH_CLIENT_SECRET_US1": empty}
    assert registration_from_environment(environ=environ).client_id == "general"
    blank = dict.fromkeys((*environ, "DDOAUTH_CLIENT_FILE", "DDOAUTH_CLIENT_SITE"), empty)
    with pytest.raises(InputError) as caught:
        registration_from_environment(environ=blank)
    assert caught.value.code == "missing_client_id"


@pytest.mark.parametrize("name", ["DDOAUTH_CLIENT_ID", "DDOAUTH_CLIENT_SECRET", "DDOAUTH_NAME"])
def test_a_quoted_registration_is_refused(name: str) -> None:
    """`docker run --env-file` keeps quotation marks: no client id ever has them."""
    with pytest.raises(InputError, match=name):
        registration_from_environment(environ={**BOTH, name: '"canary"'})


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    """Nothing else expands `~` in a .env file, so the kit does; no folder named `~` is created."""
    environ = {"HOME": str(tmp_path), "DDOAUTH_CONFIG_FOLDER": "~/.secrets/ddoauth"}
    assert config_folder(environ) == tmp_path / ".secrets" / "ddoauth"
    assert path_in("X", {"X": "~", "HOME": "/home/a"}) == Path("/home/a")
    for odd in ("~other/x", "$HOME/x", "x/y", "./x"):
        with pytest.raises(InputError) as caught:
            config_folder({**environ, "DDOAUTH_CONFIG_FOLDER": odd})
        assert caught.value.code == "bad_variable"
    with pytest.raises(InputError):
        path_in("X", {"X": "~/x"})
    assert config_folder({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path(
        "/h/.config/ddoauth-kit"
    )
