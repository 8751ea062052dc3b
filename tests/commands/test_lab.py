"""`ddoauth lab` gives JupyterLab what it needs, even for root and in containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddoauth_kit.commands import lab
from ddoauth_kit.commands.parser import Parser


def _given(*typed: str) -> list[str]:
    """Return the command for JupyterLab that comes of what was typed."""
    parser = Parser(prog="ddoauth lab")
    lab.configure(parser)
    return lab._command(Path("/copies"), parser.parse_args(typed))


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("typed", [(), ("--allow-root",), ("--", "--allow-root")])
def test_root_may_run_it(
    monkeypatch: pytest.MonkeyPatch,
    typed: tuple[str, ...],
    root: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """JupyterLab's own advice `--allow-root` works as typed, although root does not need it."""
    monkeypatch.setattr(lab, "_is_root", lambda: root)
    assert _given(*typed).count("--allow-root") == (1 if root or typed else 0)


def test_it_listens_on_this_machine_unless_told_otherwise() -> None:
    """An address among JupyterLab's options wins."""
    assert "--ServerApp.ip=127.0.0.1" in _given()
    assert "--ServerApp.ip=127.0.0.1" not in _given("--", "--ip=0.0.0.0")
