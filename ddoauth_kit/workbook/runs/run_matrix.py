"""Say what is to be run: every notebook, on every site, for every client."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.registration import registration_from_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEMO: Final = "demo client"
FROM_ENVIRONMENT: Final = "client of the environment"


@dataclass(frozen=True, slots=True)
class RunClient:
    """Name one registration: how people call it, and the file that describes it, if any."""

    label: str = DEMO
    path: str = ""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Say with which parameters notebooks run; names only, never a credential."""

    mode: str = "sandbox"
    writes: bool = False

    def parameters(self, case: Case) -> dict[str, str | bool]:
        """Return the notebook's parameters for one case."""
        return {
            "SITE": case.site,
            "MODE": self.mode,
            "CLIENT": case.client.path,
            "WRITES": self.writes,
        }


@dataclass(frozen=True, slots=True)
class Case:
    """Name one notebook, on one site, for one client; `name` is the stem of what it writes."""

    name: str
    notebook: Path
    site: str
    client: RunClient = field(default_factory=RunClient)

    @property
    def title(self) -> str:
        """Return the case in words, for progress and messages."""
        several = self.name != f"{self.notebook.stem}.{self.site}"
        return f"{self.notebook.stem} on {self.site}" + (
            f" for {self.client.label}" if several else ""
        )


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """Hold what came of one case.

    `status` is passed or failed; `seconds` is wall time; `error` is one paragraph, empty where
    there was none; `output` is the executed notebook's file name; `attempts` counts how often it
    was begun; `digest` is of the notebook as it was before; `tables` are its result tables by
    name, as lists of rows.
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
        """Return the name of the case."""
        return self.output.removesuffix(".ipynb")

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return asdict(self)


def client_of_file(path: str) -> RunClient:
    """Return the client that a file describes, by its name there, with the file's whole path.

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
    """Return the product, notebook by notebook; names tell clients apart if there are several."""
    labels = dict(zip(clients, _distinct([client.label for client in clients]), strict=True))
    return [
        Case(
            name=f"{notebook.stem}.{site}" + (f".{labels[client]}" if len(clients) > 1 else ""),
            notebook=notebook,
            site=site,
            client=client,
        )
        for notebook, site, client in product(notebooks, tuple(sites), clients)
    ]


def digest(case: Case) -> str:
    """Return a short hash of the files behind a case, to notice that one of them was changed."""
    content = case.notebook.read_bytes()
    if case.client.path:
        content += Path(case.client.path).read_bytes()
    return sha256(content).hexdigest()[:16]


def _distinct(labels: list[str]) -> list[str]:
    """Return names for files: lower case, and numbered where two would be alike."""
    slugs = [re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "client" for label in labels]
    return [
        slug if slugs.index(slug) == i else f"{slug}-{slugs[: i + 1].count(slug)}"
        for i, slug in enumerate(slugs)
    ]
