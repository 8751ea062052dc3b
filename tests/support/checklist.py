"""List the items of the security checklist, and the tests that cover them.

`python -m support.checklist` rewrites the table in `.github/SECURITY.md`; a test compares both.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Final

from support.places import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PAGE: Final = TESTS.parent / ".github" / "SECURITY.md"
BEGIN, END = "<!-- checklist: begin -->\n", "<!-- checklist: end -->\n"
LISTENER: Final = frozenset(f"L{number}" for number in range(1, 11))
ITEMS: Final = {
    "C1": "A redirect's `domain` and `site` count only if they are in the site table; "
    "else nothing is sent.",
    "C2": "A PKCE verifier has 256 random bits and is new for each attempt.",
    "C3": "The challenge method is S256, always; no error leads to a weaker one.",
    "C4": "`state` has 256 random bits, works once, in one browser session, and is checked first.",
    "C5": "An `iss` must be the site's own, also on error redirects.",
    "C6": "An attempt ends on the site where it began, or on a site with its own credentials.",
    "C7": "The token request repeats the redirect URI of the authorization request.",
    "C8": "Every request uses verified https (http on loopback), and no redirect is followed.",
    "C9": "No URL, log, error, traceback or repr contains a secret.",
    "C10": "A token is sent only in the `Authorization` header.",
    "C11": (
        "A new refresh token is stored before the old one is deleted; a refused one is tried once."
    ),
    "C12": "One expiry leads to one refresh, across coroutines, threads, clients and processes.",
    "C13": "401 refreshes once, 403 never, 429 and 503 wait; a code or a key is never sent twice.",
    "C14": "A grant with fewer scopes than requested is reported.",
    "C15": "Requested scopes that are not needed are named.",
    "C16": "Revocation ends the refresh token first, and deletes it here even if that fails.",
    "C17": "There is no implicit grant and no password grant.",
    "C18": "No cookie of an API host is stored: customers of one sender share only connections.",
    "C19": (
        "A deadline covers the whole exchange, including name lookup, headers and interim answers."
    ),
    "C21": (
        "A rotated refresh token is stored before use; a lost answer is retried once, without a "
        "loop."
    ),
    "L1": "The listener binds only to loopback.",
    "L2": "The redirect URI names the IP address, unless the registration says `localhost`.",
    "L3": "The port is open before the browser, and closed right after the answer.",
    "L4": "Other paths, methods and hosts neither end the wait nor learn anything.",
    "L5": "The result page repeats nothing, loads nothing and is not stored.",
    "L6": (
        "Waiting ends after a set time, with its own error; a pasted redirect gets the same checks."
    ),
    "L7": "Duplicate parameters and oversize requests are refused.",
    "L8": "The system's browser is used, never a view inside the program.",
    "L9": (
        "While an own attempt is pending, no stranger can begin one; the organization is shown "
        "first."
    ),
    "L10": "Neither foreign attempts nor half-open connections lock out a browser.",
    "S1": (
        "The sandbox needs the exact redirect URI; otherwise it shows a page and does not redirect."
    ),
    "S2": "Its codes are short-lived, work once, and are bound to client, URI and challenge.",
    "S3": "It always requires a challenge, and the matching verifier.",
    "S4": "It refuses ended refresh tokens; reuse of a rotated one ends the grant.",
    "S5": "Its token answers are not to be stored; errors have RFC 6749's form at v2, and at v1 "
    "Datadog's by default, RFC 6749's in the profile `rfc`.",
    "S6": "Its consent page can't be framed or forged, and answers with 303.",
    "S7": "Its authorize endpoint opens to no other origin.",
    "S8": "Its revocation ends the grant; refusals of the API have Datadog's form by default, and "
    "RFC 6750's in the profile `rfc`.",
    "S9": "It listens on loopback, issues its own marked credentials, and trusts no header.",
    "S10": (
        "Another origin's page can't change anything; the control key goes only to a proven server."
    ),
    "N1": "A run leaves no secret in notebooks, pages, logs, tracebacks or process arguments.",
    "N2": "A secret is a type that shows a placeholder and refuses JSON and pickle.",
    "N3": "Kernels get names as parameters, and secrets by reference, never by value.",
    "N4": (
        "Files of the store are 0600 in a 0700 folder, replaced atomically; links are not followed."
    ),
    "N5": "Masking knows every secret in the stores, in each slot and record.",
    "N6": "No Python that the kit starts imports from the current folder.",
    "N7": "Scan reads or names every file; it never crashes and never skips a file silently.",
    "N8": (
        "Output is printable, CSV contains no formula, pages neither navigate nor capture clicks."
    ),
    "N9": "A run always ends with scan and report, and every pattern is linear.",
    "N10": (
        "Workflows give secrets only to steps, pin actions by commit, and upload after a passed "
        "scan."
    ),
}


@cache
def marked_files() -> dict[str, list[str]]:
    """Return, for each item, the test files that contain a test for it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text("utf-8")
        for item in sorted(_marks(ast.parse(text))) if ".checklist" in text else ():
            found[item].append(path.relative_to(TESTS.parent).as_posix())
    return dict(found)


def table() -> str:
    """Return the table of the page: id, promise, where the tests are."""
    files = marked_files()
    rows = [
        f"| {item} | {promise} | {_cell(files.get(item, []))} |" for item, promise in ITEMS.items()
    ]
    return "\n".join(["| id | promise | tests |", "|---|---|---|", *rows]) + "\n"


def page() -> str:
    """Return the page with an updated table."""
    text = PAGE.read_text("utf-8")
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return between.sub(lambda _: BEGIN + table() + END, text)


def _cell(files: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in files) or "with the listener"


def _marks(tree: ast.AST) -> set[str]:
    return {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "checklist"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Attach a test's checklist items to its reports."""
    for mark in item.iter_markers("checklist"):
        item.user_properties.append(("checklist", mark.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of long trials and, after `-m checklist`, a line for each item."""
    figures = [text for _, name, _, text in _properties(terminalreporter) if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in dict.fromkeys(figures):
            terminalreporter.write_line(text)
    if "checklist" not in terminalreporter.config.option.markexpr:
        return
    results: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for nodeid, name, outcome, item in _properties(terminalreporter):
        if name == "checklist":
            results[item][nodeid] = outcome
    terminalreporter.section("security checklist")
    for item in ITEMS:
        terminalreporter.write_line(_line(item, results.get(item, {})))


def _properties(
    terminalreporter: pytest.TerminalReporter,
) -> Iterator[tuple[str, str, str, str]]:
    """Yield the properties in reports: the test, the name, the outcome and the value."""
    for outcome in ("passed", "skipped", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                yield report.nodeid, name, outcome, str(value)


def _line(item: str, results: dict[str, str]) -> str:
    outcomes = list(results.values())
    bad = [outcome for outcome in outcomes if outcome in {"failed", "error"}]
    result = "failed" if bad else "passed" if "passed" in outcomes else "no test"
    files = dict.fromkeys(nodeid.partition("::")[0] for nodeid in results)
    return f"{item:<4} {result:<8} {len(results):>4} tests  {' '.join(files)}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
