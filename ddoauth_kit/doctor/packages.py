"""Compare Python and the installed packages with the requirements in the kit's metadata."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from ddoauth_kit.doctor.finding import Finding, note, ok, problem
from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KIT: Final = "ddoauth-kit"
_UNTRIED: Final = "older versions have not been tested"
# The problem with older versions; pyproject.toml has the same remarks.
REASONS: Final = {
    "authlib": "CVE-2026-41425: a login can be forged",
    "cryptography": "CVE-2026-26007: input is not checked",
    "flask": "CVE-2026-27205: a private page is cached",
    "h11": "CVE-2025-43859: malformed bodies are accepted",
    "jinja2": "CVE-2025-27516: a template escapes its sandbox",
    "jsonschema": "newer versions take seconds to start",
    "jupyter-server": "CVE-2026-44727: a notebook's page runs as you",
    "jupyterlab": "CVE-2026-73415: a picture runs as you",
    "nbconvert": "CVE-2025-53000: another program can be run",
    "pytest": "CVE-2025-71176: other users can reach its folder",
    "requests": "CVE-2024-47081: credentials go elsewhere",
    "starlette": "CVE-2026-48710: a Host header can mislead the server",
    "tornado": "CVE-2025-47287: a form can stall the server",
    "urllib3": "CVE-2026-21441: a small answer can fill the memory",
    "werkzeug": "CVE-2026-27199: a device passes as a file",
}


@dataclass(frozen=True, slots=True)
class Needed:
    """A requirement, and the smallest extra that includes it (empty for the kit itself)."""

    requirement: Requirement
    extra: str


def needed(lines: list[str]) -> list[Needed]:
    """Read requirements from metadata, which lists a package once for each extra that needs it."""
    found = [(Requirement(line), _extra(line)) for line in lines]
    sizes = Counter(extra for _, extra in found)
    smallest: dict[str, Needed] = {}
    for requirement, extra in sorted(found, key=lambda each: (bool(each[1]), sizes[each[1]])):
        smallest.setdefault(requirement.name, Needed(requirement, extra))
    return list(smallest.values())


def check_python(*, wanted: str | None = None) -> Finding:
    """Compare the interpreter with the versions that the kit supports."""
    found = ".".join(map(str, sys.version_info[:3]))
    specifier = SpecifierSet("".join(_metadata("Requires-Python")) if wanted is None else wanted)
    if not specifier.contains(found):
        return problem("python", f"Python {found}", f"install Python {specifier}")
    return ok("python", f"Python {found}")


def check_packages(
    *, lines: list[str] | None = None, installed: Callable[[str], str] = version
) -> Iterator[Finding]:
    """Check each installed package's version; report missing packages once for each extra."""
    missing: dict[str, list[str]] = {}
    wanted = needed(_metadata("Requires-Dist") if lines is None else lines)
    if not wanted:
        found = "the kit itself is not installed, so its requirements are unknown"
        yield note("packages", found, f"pip install {KIT}")
    for each in wanted:
        name = each.requirement.name
        try:
            yield _compared(each.requirement, installed(name))
        except PackageNotFoundError:
            if each.extra in {"", "publishing", "sandbox", "workbook"}:  # others know what they do
                missing.setdefault(each.extra, []).append(name)
    for extra, names in missing.items():
        kit = f'"{KIT}[{extra}]"' if extra else KIT
        report = note if extra else problem
        step = f"pip install --upgrade {kit}"
        yield report("packages", f"not installed: {', '.join(sorted(names))}", step)


def missing_package(module: str) -> InputError:
    """Return the error for a module that is not installed; it names the extra that includes it."""
    name = module.partition(".")[0].replace("_", "-").lower()
    wanted = needed(_metadata("Requires-Dist"))
    # `markdown_it` comes with the distribution `markdown-it-py`.
    found = (each.extra for each in wanted if each.requirement.name.removesuffix("-py") == name)
    extra = next(found, "workbook")
    install = f'pip install "{KIT}[{extra}]"' if extra else f"pip install {KIT}"
    return InputError("missing_package", f"{module} is not installed: {install}.")


def is_good(requirement: Requirement, found: str) -> bool:
    """Return whether a version is allowed; a pre-release counts as the final release."""
    try:
        return requirement.specifier.contains(Version(found).base_version)
    except InvalidVersion:
        return False


def _metadata(name: str) -> list[str]:
    """Return the installed kit's metadata, or None if the kit is not installed."""
    try:
        return metadata(KIT).get_all(name) or []
    except PackageNotFoundError:
        return []


def _extra(line: str) -> str:
    """Return the extra that a line of `Requires-Dist` belongs to."""
    return line.partition("extra ==")[2].strip(" '\"()")


def _compared(requirement: Requirement, found: str) -> Finding:
    check = f"package {requirement.name}"
    if is_good(requirement, found):
        return ok(check, found)
    reason = REASONS.get(requirement.name, _UNTRIED)
    step = f'pip install --upgrade "{requirement.name}{requirement.specifier}"'
    return problem(check, f"{found}; it should be {requirement.specifier}: {reason}", step)
