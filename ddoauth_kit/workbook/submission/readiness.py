"""Report whether an integration is ready for publication, based on this workbook's evidence.

The requirements come from Datadog's page on API-based integrations. A report is meant for the
submission, so it never contains secrets, whatever the evidence contains.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.leaks.known_secrets import environment_secrets
from ddoauth_kit.leaks.stored_secrets import stored_secrets
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.result_files import write_text
from ddoauth_kit.workbook.show.result_table import TABLE_MIME, ResultTable
from ddoauth_kit.workbook.submission.readiness_evidence import ReadinessEntry, Ready, all_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddoauth_kit.grading.results import GradeReport
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.publishing.folder_check import Report
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.show.result_table import Bundle

_NAME: Final = "readiness"
_LONGEST: Final = 300
_COLUMNS: Final = ("requirement", "ready", "sites", "evidence", "when (UTC)", "next")
_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #8886;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}"
)
# Nothing may be loaded or run, whoever opens the file.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, repr=False)
class Readiness:
    """One entry for each requirement, and the client's name, without secrets.

    `talks_to` tells whether the evidence comes from Datadog or a sandbox.
    """

    name: str
    client_id: str
    kind: str
    talks_to: str
    entries: tuple[ReadinessEntry, ...]

    @property
    def is_ready(self) -> bool:
        """Return true unless a requirement is open."""
        return not self._open

    @property
    def table(self) -> ResultTable:
        """Return all entries: `requirement`, `ready`, `sites`, `evidence`, `when`."""
        return _table(_NAME, self.entries)

    @property
    def missing(self) -> ResultTable:
        """Return the open requirements in the same columns, with the next step in `next`."""
        return _table("readiness_missing", self._open, fixes=True)

    @property
    def headline(self) -> str:
        """Summarize the progress in one sentence."""
        done, total = len(self.entries) - len(self._open), len(self.entries)
        state = "Ready" if self.is_ready else "Not ready"
        return f"{state}: {done} of {total} requirements are met by {self.name} ({self.kind})."

    def text(self) -> str:
        """Return the headline, the origin of the evidence, and the table."""
        return f"{self.headline}\nThe evidence is from {self.talks_to}.\n\n{self.table.text()}"

    def as_json(self) -> dict[str, Any]:
        """Return the report as `save` writes it."""
        return {
            "name": self.name,
            "client_id": self.client_id,
            "kind": self.kind,
            "evidence_from": self.talks_to,
            "ready": self.is_ready,
            "requirements": [asdict(entry) for entry in self.entries],
        }

    def html(self) -> str:
        """Return a complete, self-contained page without scripts."""
        return readiness_page(self.headline, talks_to=self.talks_to, entries=self.entries)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write readiness.html and readiness.json, and return their paths.

        Raises:
            OSError: the kit can't write to the folder.
        """
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        content = json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n"
        texts = {f"{_NAME}.html": self.html(), f"{_NAME}.json": content}
        for name, text in texts.items():
            write_text(where / name, text)
        return tuple(where / name for name in texts)

    @property
    def _open(self) -> tuple[ReadinessEntry, ...]:
        return tuple(entry for entry in self.entries if entry.ready != Ready.YES)

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_options: object) -> tuple[Bundle, Bundle]:
        """Show the table under the headline, and pass its rows to the notebook's runner."""
        said = (self.headline, f"The evidence is from {self.talks_to}.")
        rows, unstable = self.table.as_json()
        data = {
            "text/plain": self.text(),
            "text/html": "".join(f"<p>{escape(line)}</p>" for line in said) + self.table.html(),
            TABLE_MIME: rows,
        }
        return data, {TABLE_MIME: unstable}


def readiness(
    *labs: Lab,
    probes: ProbeReport | None = None,
    check: Report | None = None,
    grade: GradeReport | Path | None = None,
    stated: Mapping[str, str] | None = None,
) -> Readiness:
    """Collect the evidence from an integration's labs, for the first lab's registration.

    `probes` are the latest results of probing, and `check` is the result of `check_folder`. `grade`
    is the result of grading the integration's own server, or the folder that `ddoauth grade --out`
    wrote; without it, the report does not mention a server. `stated` maps requirements that no
    program can check to a person's own words, such as `{"test authorization": "done on us1"}`,
    which are marked as such. An entry's time is when the evidence was collected, by the lab's clock
    and in UTC; the evidence itself is older.

    Raises:
        SettingsError: `not_a_grade`, for a folder without a grading report.
    """
    first = labs[0]
    registration = first.registration
    entries = all_entries(labs, probes=probes, check=check, grade=grade, stated=stated or {})
    plain = _plain(labs)
    return Readiness(
        name=plain(registration.name or registration.client_id),
        client_id=plain(registration.client_id),
        kind=str(registration.kind),
        talks_to=first.backend.talks_to,
        entries=tuple(
            ReadinessEntry(
                requirement=plain(entry.requirement),
                ready=entry.ready,
                sites=entry.sites,
                evidence=plain(entry.evidence),
                when=entry.when,
                fix=plain(entry.fix),
            )
            for entry in entries
        ),
    )


def _plain(labs: tuple[Lab, ...]) -> Callable[[str], str]:
    """Return a function that masks all secrets that the labs may know, and joins lines into one."""
    secrets = list(environment_secrets())
    for lab in labs:
        own = lab.registration
        secrets += [own.client_secret] if own.client_secret else []
        secrets += stored_secrets(lab.store)
    mask = Masker(secrets)

    def plain(text: str) -> str:
        line = " ".join(mask(text).split())
        shown = "".join(letter if letter.isprintable() else "?" for letter in line)
        return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."

    return plain


def _table(name: str, entries: tuple[ReadinessEntry, ...], *, fixes: bool = False) -> ResultTable:
    rows = [
        {
            "requirement": entry.requirement,
            "ready": str(entry.ready),
            "sites": " ".join(entry.sites),
            "evidence": entry.evidence,
            "when": entry.when,
            **({"next": entry.fix} if fixes else {}),
        }
        for entry in entries
    ]
    return ResultTable(name, rows, volatile=("when",))


def readiness_page(headline: str, *, talks_to: str, entries: Sequence[ReadinessEntry]) -> str:
    """Return the page, with all text escaped."""
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "".join(map(_row, entries))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Readiness</title><style>{_STYLE}</style></head><body>"
        f"<h1>Is it ready to be published?</h1><p>{escape(headline)}</p>"
        f"<p>The evidence is from {escape(talks_to)}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )


def _row(entry: ReadinessEntry) -> str:
    name, *cells = (
        entry.requirement,
        str(entry.ready),
        " ".join(entry.sites),
        entry.evidence,
        entry.when,
        entry.fix,
    )
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{rest}</tr>'
