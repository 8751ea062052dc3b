"""Grade a copy of the reference server in a lesson, before and after changing a line."""

from __future__ import annotations

import difflib
import json
import re
import secrets
import shutil
import socket
import tempfile
import weakref
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.settings import (
    ActSettings,
    ClientSettings,
    ConnectedSettings,
    GradeSettings,
    ServerSettings,
    SettingsError,
    StartSettings,
)
from ddoauth_kit.own_python import python_command
from ddoauth_kit.workbook.lessons.lesson_runs import refuse_in_a_tab
from ddoauth_kit.workbook.show.result_table import ResultTable
from ddoauth_kit.workbook.show.snippets import Snippet

if TYPE_CHECKING:
    from ddoauth_kit.grading.results import GradeReport

# A program that took the port in the meantime also answers the login.
_TAKEN: Final = frozenset({"port_in_use", "login_failed"})
_TRIES: Final = 5
_MODULE: Final = "acme_server"
_SCOPES: Final = ("api_keys_write", "monitors_read")
# The copy takes a free port, which differs from run to run.
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:\d+")
STORED: Final = "stored_grade.json"


@dataclass(frozen=True, eq=False)
class ServerCopy:
    """A copy of the reference server in its own folder, which is deleted with this object."""

    _folder: Path = field(
        default_factory=lambda: Path(tempfile.mkdtemp(prefix="ddoauth-lesson-")), repr=False
    )

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._path.write_text(_original(), encoding="utf-8")

    def __repr__(self) -> str:
        return f"a copy of the reference server, {len(self._text.splitlines())} lines"

    def change(self, old: str, new: str) -> Snippet:
        """Replace text that occurs once, and return the difference from the original.

        Raises:
            InputError: `unknown_line`, if the text does not occur exactly once.
        """
        if self._text.count(old) != 1:
            what = f"{old!r} occurs {self._text.count(old)} times in the copy"
            raise InputError("unknown_line", f"{what}; it must occur exactly once.")
        self._path.write_text(self._text.replace(old, new), encoding="utf-8")
        lines = difflib.unified_diff(
            _original().splitlines(), self._text.splitlines(), "reference", "copy", n=1, lineterm=""
        )
        return Snippet("diff", "\n".join(lines))

    def put_back(self) -> bool:
        """Undo every change, and return whether the copy is the original again."""
        self._path.write_text(_original(), encoding="utf-8")
        return self._text == _original()

    def grade(self, *checks: str, site: str = "us1") -> ResultTable:
        """Grade the copy, started behind the front; columns: `check`, `verdict`, `what happened`.

        Raises:
            SettingsError: a check is unknown, or the flow can't be followed.
            FrontError: the front or the server cannot start.
            InputError: `no_processes`, in a browser tab.
        """
        refuse_in_a_tab("start a server to grade it")
        report = self._report(checks, site)
        rows = [
            {
                "check": result.requirement.id,
                "verdict": result.verdict.words,
                "what happened": _ADDRESS.sub("https://your.server", result.actual),
            }
            for result in report.results
        ]
        return ResultTable("grade", rows)

    def _report(self, checks: tuple[str, ...], site: str) -> GradeReport:
        """Grade the copy on a free port; another program may take that port in the meantime."""
        from ddoauth_kit.grading.grader import grade

        for _ in range(_TRIES):
            try:
                return grade(self._settings(), only=checks, sites=(site,))
            except SettingsError as error:
                if error.code not in _TAKEN:
                    raise
        return grade(self._settings(), only=checks, sites=(site,))

    @property
    def _path(self) -> Path:
        return self._folder / f"{_MODULE}.py"

    @property
    def _text(self) -> str:
        return self._path.read_text("utf-8")

    def _settings(self) -> GradeSettings:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = f"http://127.0.0.1:{port}"
        uri = f"{server}/oauth/callback"
        password = secrets.token_urlsafe(24)
        env = {
            "DD_CLIENT_ID": "{client_id}",
            "DD_CLIENT_SECRET": "{client_secret}",
            "REDIRECT_URI": uri,
            "SCOPES": " ".join(_SCOPES),
            "STATE_FOLDER": str(self._folder / "state"),
            "SESSION_SECRET": secrets.token_urlsafe(24),
            "LOGIN_PASSWORD": password,
            "PORT": str(port),
        }
        people = [
            ActSettings(
                url=f"{server}/login", form={"account": f"{name}-{{account}}", "password": password}
            )
            for name in ("ada", "grace")
        ]
        return GradeSettings(
            start=StartSettings(url=f"{server}/connect/datadog"),
            connected=ConnectedSettings(text="Connected to Datadog"),
            client=ClientSettings(redirect_uris=(uri,), scopes=_SCOPES),
            server=ServerSettings(command=tuple(python_command(str(self._path))), env=env),
            login=people[0],
            other_login=people[1],
            folder=self._folder,
        )


def stored_grade() -> ResultTable:
    """Return a stored grading report on the reference server, without running a server.

    Columns: `check`, `verdict`, `source`.
    """
    content = (files("ddoauth_kit.workbook.lessons") / STORED).read_text("utf-8")
    rows = [
        {
            "check": each["id"],
            "verdict": each["verdict"].replace("_", " "),
            "source": REQUIREMENTS[each["id"]].source,
        }
        for each in json.loads(content)["verdicts"]
    ]
    return ResultTable("whole grade", rows)


def _original() -> str:
    return (files("ddoauth_kit.grading") / "reference_server.py").read_text("utf-8")
