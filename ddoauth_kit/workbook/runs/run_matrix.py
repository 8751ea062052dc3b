"""List what to run: every notebook, on every site, for every client."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.printable import readable
from ddoauth_kit.registration import registration_from_file
from ddoauth_kit.workbook.runs.source_notebook import takes_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEMO: Final = "demo client"
FROM_ENVIRONMENT: Final = "client of the environment"
LONGEST: Final = 80
_BYTES: Final = 160
_CALL: Final = re.compile(r'More: explain\("(\w+)"\)\.')
# Windows reserves these names for devices, with any extension.
_RESERVED: Final = frozenset(
    ["aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


@dataclass(frozen=True, slots=True)
class RunClient:
    """A registration: a readable name, and the file that describes it, if any."""

    label: str = DEMO
    path: str = ""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The notebooks' parameters; they contain only names, never credentials."""

    mode: str = "sandbox"
    writes: bool = False

    def parameters(self, case: Case) -> dict[str, str | bool]:
        """Return the notebook's parameters for one case, including `SITES` only if it is set."""
        return {
            "SITE": case.site,
            "MODE": self.mode,
            "CLIENT": case.client.path,
            "WRITES": self.writes,
            **({"SITES": case.sites} if case.sites else {}),
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One notebook, on one site, for one client; `name` is the stem of its files.

    `sites` restricts a notebook that would otherwise cover every site on its own.
    """

    name: str
    notebook: Path
    site: str
    client: RunClient = field(default_factory=RunClient)
    sites: str = ""

    @property
    def label(self) -> str:
        """Return the notebook's name for people."""
        return readable(self.notebook.stem)

    @property
    def title(self) -> str:
        """Describe the case, for progress and messages."""
        return run_title(self.label, self.site, self.client.label)


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """The result of one case.

    `status` is passed or failed; `seconds` is wall time; `error` is one paragraph, or empty;
    `output` is the executed notebook's file name; `attempts` counts how many times it was started;
    `digest` is a hash of the files behind it; `tables` are its result tables by name, as lists of
    rows.
    """

    notebook: str
    site: str
    client: str
    status: str
    seconds: float
    error: str
    output: str
    attempts: int = 1
    digest: str = ""
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Return the case's name."""
        return self.output.removesuffix(".ipynb")

    @property
    def complaint(self) -> str:
        """Return the error for a person in a shell, where a Python call would be no help."""
        return _CALL.sub(r"More: ddoauth explain \1.", self.error)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)


def run_title(notebook: str, site: str, client: str) -> str:
    """Describe what runs where, and for which client if a file names one."""
    named = "" if client in (DEMO, FROM_ENVIRONMENT) else f" for {client}"
    return f"{notebook} on {site}{named}"


def client_of_file(path: str) -> RunClient:
    """Return the client that a file describes, with its name and the file's absolute path.

    Raises:
        InputError: `bad_client_file`.
    """
    return RunClient(registration_from_file(path).name, str(Path(path).resolve()))


def matrix(
    notebooks: Iterable[Path],
    *,
    sites: Iterable[str],
    clients: Sequence[RunClient] = (RunClient(),),
) -> list[Case]:
    """Return all combinations, notebook by notebook; clients get distinct names.

    With several sites, a notebook with a parameter `SITES` is restricted to one site per run,
    because the other runs cover the rest.
    """
    sites = tuple(sites)
    named = dict(zip(clients, _told_apart(clients), strict=True))
    slugs = dict(zip(clients, _distinct([_slug(c.label) for c in clients]), strict=True))
    several = len(clients) > 1
    given = [(path, len(sites) > 1 and takes_parameter(path, "SITES")) for path in notebooks]
    cases = [
        Case(
            name=f"{_stem(notebook)}.{site}" + (f".{slugs[client]}" if several else ""),
            notebook=notebook,
            site=site,
            client=named[client],
            sites=site if alone else "",
        )
        for notebook, alone in given
        for site, client in product(sites, clients)
    ]
    names = _distinct([case.name for case in cases])
    return [replace(case, name=name) for case, name in zip(cases, names, strict=True)]


def digest(case: Case) -> str:
    """Return a short hash of the files behind a case, to detect changes."""
    content = case.notebook.read_bytes() + case.sites.encode()
    if case.client.path:
        content += Path(case.client.path).read_bytes()
    return sha256(content).hexdigest()[:16]


def file_name(text: str, *, otherwise: str) -> str:
    """Convert text to a file name that is valid on every system, without an extension.

    Letters of any alphabet are kept if this system can encode them.
    """
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isalnum() or c in " ._-" else "_" for c in plain).strip(" .")[:LONGEST]
    try:
        os.fsencode(kept)
    except UnicodeEncodeError:
        kept = kept.encode("ascii", "replace").decode().replace("?", "_")
    while len(kept.encode("utf-8", "replace")) > _BYTES:
        kept = kept[:-1]
    kept = kept.rstrip(" .") or otherwise
    return f"_{kept}" if kept.partition(".")[0].lower() in _RESERVED else kept


def _distinct(names: list[str]) -> list[str]:
    """Return file names, numbered if two would be the same, even on systems that ignore case."""
    used: set[str] = set()
    found = []
    for name in names:
        number, candidate = 1, name
        while _key(candidate) in used:
            number += 1
            candidate = f"{name}-{number}"
        used.add(_key(candidate))
        found.append(candidate)
    return found


def distinct_file_names(texts: Iterable[str], *, otherwise: str) -> dict[str, str]:
    """Return a different file name for each string."""
    texts = list(dict.fromkeys(texts))
    names = _distinct([file_name(text, otherwise=otherwise) for text in texts])
    return dict(zip(texts, names, strict=True))


def _key(name: str) -> str:
    """Return a key that is equal for names that a file system may consider the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:LONGEST].strip("-") or "client"


def _stem(notebook: Path) -> str:
    return file_name(readable(notebook.stem), otherwise="notebook")


def _told_apart(clients: Sequence[RunClient]) -> list[RunClient]:
    """Return the clients with labels that are distinct in tables."""
    keys = [_key(client.label) for client in clients]
    return [
        replace(client, label=f"{client.label} ({keys[:i].count(keys[i]) + 1})")
        if keys.count(keys[i]) > 1
        else client
        for i, client in enumerate(clients)
    ]
