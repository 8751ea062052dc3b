"""Show a lesson's subjects as tables: the machine, the sites, the faults and the findings."""

from __future__ import annotations

import inspect
import sys
from importlib.util import find_spec
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import in_a_tab
from ddoauth_kit.errors import InputError
from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.show.cards import Skipped
from ddoauth_kit.workbook.show.result_table import ResultTable
from ddoauth_kit.workbook.show.snippets import Snippet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.doctor import Finding
    from ddoauth_kit.publishing.folder_check import Report
    from ddoauth_kit.workbook.lab.lab import Lab

PYTHON: Final = (3, 11)
PACKAGES: Final = ("httpx", "ipywidgets", "jupyterlab", "pandas", "papermill")
SERVER_PACKAGES: Final = ("starlette", "uvicorn")
TAB_PACKAGES: Final = ("httpx", "ipywidgets", "starlette")
_INSTALL: Final = 'pip install "ddoauth-kit[workbook]"'


def server_code(name: str) -> Snippet:
    """Return the code of one of the reference server's handlers, such as `callback`.

    Raises:
        InputError: `unknown_handler`, with similar names.
    """
    from ddoauth_kit.grading.reference_server import Acme

    handlers = [each for each in vars(Acme) if not each.startswith("_")]
    if name not in handlers:
        what = f"The reference server has no handler {name!r}.{nearest(name, handlers)}"
        raise InputError("unknown_handler", what)
    return Snippet("python", dedent(inspect.getsource(vars(Acme)[name])).rstrip())


def check_environment(*, packages: Iterable[str] = ()) -> ResultTable:
    """Return a row for Python and for each package, by default those that the lessons need.

    Columns: `needed`, `found` (yes or no), `next step` (empty if nothing is missing).
    """
    fresh = sys.version_info >= PYTHON
    version = ".".join(map(str, PYTHON))
    rows = [_row(f"Python {version} or newer", found=fresh, step=f"install Python {version}")]
    needed = tuple(packages) or (TAB_PACKAGES if in_a_tab() else (*PACKAGES, *SERVER_PACKAGES))
    rows += [_row(name, found=find_spec(name) is not None, step=_INSTALL) for name in needed]
    return ResultTable("environment", rows)


def _row(needed: str, *, found: bool, step: str) -> dict[str, str]:
    return {
        "needed": needed,
        "found": "yes" if found else "no",
        "next step": "" if found else step,
    }


def sites_table() -> ResultTable:
    """Return one row for each site; columns: `site`, `domain`, `app`, `API`, `location`."""
    return ResultTable(
        "sites",
        [
            {
                "site": site.name,
                "domain": site.domain,
                "app": site.public.app_url,
                "API": site.public.api_url,
                "location": site.location,
            }
            for site in DATADOG_SITES
        ],
    )


def faults_table() -> ResultTable:
    """Return the sandbox's faults; columns: `fault`, `what happens`.

    Each name is also a drill in the lab.
    """
    from ddoauth_kit.sandbox import FAULTS

    rows = [{"fault": fault.name, "what happens": fault.summary} for fault in FAULTS.values()]
    return ResultTable("faults", rows)


def journal_table(lab: Lab) -> ResultTable | Skipped:
    """Return one row for each request; columns: `method`, `site`, `path`, `status`, `form fields`.

    This step is skipped for a lab without a sandbox in this kernel.
    """
    entries = lab.backend.journal()
    if entries is None:
        return Skipped("This lab doesn't have its own sandbox, so there is no journal to read.")
    rows = [
        {
            "method": entry.method,
            "site": entry.site or "none",
            "path": entry.path,
            "status": entry.status,
            "form fields": " ".join(entry.fields),
        }
        for entry in entries
    ]
    return ResultTable("journal", rows)


def findings_table(findings: Iterable[Finding], *checks: str) -> ResultTable:
    """Return one row for each finding; columns: `check`, `status`, `found`, `next step`.

    With `checks`, include only the findings whose names begin with one of them.
    """
    rows = [
        {
            "check": each.check,
            "status": str(each.status),
            "found": each.found,
            "next step": each.next_step,
        }
        for each in findings
        if not checks or each.check.startswith(checks)
    ]
    return ResultTable("findings", rows)


def folder_findings(report: Report) -> ResultTable:
    """Return the findings; columns: `severity`, `at`, `what`, `rule`, `in the patch`."""
    rows = [
        {
            "severity": str(found.rule.severity),
            "at": str(found.at),
            "what": found.what,
            "rule": found.rule.id,
            "in the patch": "yes" if found.edits else "no",
        }
        for found in report.findings
    ]
    return ResultTable("folder_findings", rows)
