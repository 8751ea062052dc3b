"""You can allow a finding with a reason, but never a known secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.cli import main
from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.allowed import fingerprint, is_allowed_line, read_allowed
from ddoauth_kit.leaks.scan import scan_paths
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

KEY = "c0ffee00c0ffee11c0ffee22c0ffee33"


@pytest.mark.parametrize(
    ("comment", "allowed"),
    [
        *(("# ddoauth: allow (an example)", True), ("// ddoauth: allow - an example", True)),
        *(("<!-- ddoauth: allow (docs) -->", True), ("# ddoauth: allow: test data", True)),
        *(("# ddoauth: allow", False), ("# ddoauth: allow ()", False), ("# allow (x)", False)),
    ],
)
def test_a_comment(comment: str, *, allowed: bool, tmp_path: Path) -> None:
    """A comment with a reason allows its own line, and no other."""
    assert is_allowed_line(comment) == allowed
    path = tmp_path / "a.py"
    path.write_text(f"a = '{KEY}'  {comment}\n", "utf-8")
    assert (scan_paths([path]) == []) == allowed
    path.write_text(f"{comment}\na = '{KEY}'\n", "utf-8")
    assert scan_paths([path])


def test_a_known_secret_cannot_be_allowed(tmp_path: Path) -> None:
    """No comment or list hides a value that this process knows as a secret."""
    path = tmp_path / "a.py"
    path.write_text(f"a = '{KEY}'  # ddoauth: allow (an example)\n", "utf-8")
    secret = Secret(KEY, label="DD_API_KEY")
    found = scan_paths([path], secrets=[secret], allowed=[fingerprint(KEY)])
    assert [finding.fingerprint for finding in found] == [""]


def test_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a fingerprint, and a list with it and a reason lets the value pass."""
    path, allow = tmp_path / "a.txt", tmp_path / "allow"
    path.write_text(KEY, "utf-8")
    assert main(["scan", str(path)]) == 1
    printed = capsys.readouterr().out
    mark = printed.rpartition("[")[2].rpartition("]")[0]
    assert mark == fingerprint(KEY)
    allow.write_text(f"# examples\n\n{mark}  the documentation's example\n", "utf-8")
    assert main(["scan", str(path), "--allow", str(allow)]) == 0
    assert "1 allowed" in capsys.readouterr().err
    assert KEY not in printed + allow.read_text("utf-8")


@pytest.mark.parametrize("text", [fingerprint(KEY), KEY, f"{KEY} reason", "abc reason", "\udcff"])
def test_bad_lists_are_refused(text: str, tmp_path: Path) -> None:
    """A line without a reason, or with the value itself, is refused without repeating it."""
    path = tmp_path / "allow"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_allowed(path)
    assert caught.value.code == "bad_allow_list"
    assert KEY not in str(caught.value)


def test_folders_that_are_passed_by_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folders of tools are not checked, and the command says so; checkpoints are."""
    for name in (".git", "node_modules", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(KEY, "utf-8")
    assert main(["scan", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out.count("API key") == 1
    assert ".ipynb_checkpoints" in said.out
    assert said.err.count("not checked: ") == 2
