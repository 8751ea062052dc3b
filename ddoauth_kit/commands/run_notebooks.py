"""Carry out `ddoauth run`: check the options, run the notebooks, write the results."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import (
    FOUND,
    INTERRUPTED,
    SUCCESS,
    answer,
    checked_client,
    chosen_sites,
    document,
    say,
    say_if_settings_rest,
)
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.authorization_request import authorization_request
from ddoauth_kit.printable import counted, quoted_path
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.comparison import read_earlier
from ddoauth_kit.workbook.runs.ledger import Ledger
from ddoauth_kit.workbook.runs.outcome import RunOutcome
from ddoauth_kit.workbook.runs.run_matrix import (
    FROM_ENVIRONMENT,
    RunClient,
    RunSettings,
    client_of_file,
    matrix,
)
from ddoauth_kit.workbook.runs.run_progress import RunProgress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.dask_runner import ClusterRunner
    from ddoauth_kit.workbook.runs.local_runner import LocalRunner
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun

_SHOWN: Final = 20
_NO_PERSON: Final = "no_person"
_UNCHANGED: Final = "No difference from the earlier run."
_LOGGERS: Final = ("asyncio", "traitlets", "papermill", "distributed")


def run_command(options: argparse.Namespace) -> int:
    """Run the matrix and return the exit code: 1 if a case failed or a secret was found.

    Raises:
        InputError: an option cannot be used; nothing was executed.
    """
    settings = RunSettings(mode=options.mode, writes=options.writes)
    cases = matrix(
        find_notebooks(options.notebooks),
        sites=chosen_sites(options.site or ["us1"]),
        clients=_clients(options.client or [], mode=options.mode),
    )
    if settings.mode == "live":
        _check_live(cases)
    earlier = read_earlier(Path(options.compare)) if options.compare is not None else None
    out = _output_folder(options.out)
    ledger = Ledger(out, settings=settings, resume=options.resume)
    begun, started = time.perf_counter(), datetime.now(UTC)
    whole = _run_all(options, cases=cases, settings=settings, out=out, ledger=ledger)
    outcome = RunOutcome(
        cases=cases,
        runs=ledger.runs(cases),
        settings=settings,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - begun, 2),
        earlier=earlier,
    )
    return _finish(
        outcome,
        out=out,
        whole=whole,
        as_json=options.format == "json",
        seconds=options.timeout,
    )


def _run_all(
    options: argparse.Namespace,
    *,
    cases: list[Case],
    settings: RunSettings,
    out: Path,
    ledger: Ledger,
) -> bool:
    """Run the cases that don't have a good result in the ledger; return False if interrupted."""
    say(_announcement(cases))
    say_if_settings_rest(settings.mode)
    missing = [case for case in cases if not ledger.passed(case)]
    if len(missing) < len(cases):
        say(f"{len(cases) - len(missing)} of {len(cases)} passed before and won't run again")
    progress = RunProgress(len(missing))

    def done(run: NotebookRun) -> None:
        ledger.add(run)
        progress.add(run)

    whole = not missing
    with _quiet_interrupts():
        whole = whole or _runner(options).run(missing, settings=settings, out=out, done=done)
    progress.end()
    return whole


def _announcement(cases: list[Case]) -> str:
    """Say what is about to run, before the first kernel starts."""
    lessons = list(dict.fromkeys(case.label for case in cases))
    sites = list(dict.fromkeys(case.site for case in cases))
    named = lessons[0] if len(lessons) == 1 else f"{len(lessons)} notebooks"
    where = sites[0] if len(sites) == 1 else f"{len(sites)} sites"
    runs = "" if len(cases) == 1 else f", {len(cases)} runs"
    return f"running {named} on {where}{runs}; Ctrl-C stops the run but keeps finished results"


def _runner(options: argparse.Namespace) -> LocalRunner | ClusterRunner:
    if options.executor is not None:
        from ddoauth_kit.workbook.runs.dask_runner import ClusterRunner

        return ClusterRunner(options.executor, timeout=options.timeout)
    from ddoauth_kit.workbook.runs.local_runner import LocalRunner

    # With writes, lesson 06 ends the one grant that the lessons before it use.
    in_turn = options.mode == "live" and options.writes
    jobs = options.jobs or (1 if in_turn else None)
    return LocalRunner(jobs=jobs, timeout=options.timeout, cold=options.cold)


def _finish(
    outcome: RunOutcome, *, out: Path, whole: bool, as_json: bool, seconds: float | None
) -> int:
    from ddoauth_kit.workbook.runs.written_results import write_results

    scanned = write_results(outcome, out=out, secrets=_secrets(outcome), seconds=seconds)
    _print_runs(scanned, out=out, as_json=as_json)
    for finding in scanned.findings or ():
        say(f"secret found: {finding}")
    if not whole:
        say("interrupted; finished results are saved")
        return INTERRUPTED
    return FOUND if scanned.failed or scanned.findings else SUCCESS


def _secrets(outcome: RunOutcome) -> tuple[Secret, ...]:
    """Return every known secret that any of the cases could contain."""
    from ddoauth_kit.workbook.runs.run_secrets import known_secrets

    places = {(case.site, case.client): case for case in outcome.cases}
    found = (known_secrets(outcome.settings.parameters(case))() for case in places.values())
    return tuple(dict.fromkeys(secret for secrets in found for secret in secrets))


@contextmanager
def _quiet_interrupts() -> Iterator[None]:
    """End the block on Ctrl-C, SIGTERM or SIGHUP, and silence libraries while kernels shut down."""
    ends = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: signal.signal(number, signal.default_int_handler) for number in ends}
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _clients(files: list[str], *, mode: str) -> list[RunClient]:
    """Check the client files before any kernel starts, and return their absolute paths."""
    if mode == "live" and len(files) > 1:
        what = "The environment has the credentials of one client, but you named several."
        raise InputError("several_live_clients", what)
    for file in files:
        checked_client(file)
    clients = list(dict.fromkeys(client_of_file(file) for file in files))
    return clients or [RunClient(FROM_ENVIRONMENT) if mode == "live" else RunClient()]


def _check_live(cases: list[Case]) -> None:
    """Refuse a live run if the registration or a redirect URI is missing."""
    from ddoauth_kit.registration.live import live_registration

    for site, client in dict.fromkeys((case.site, case.client) for case in cases):
        registration = live_registration(site, client=client.path)
        authorization_request(registration, domain=DATADOG_SITES.named(site).domain)
        _ = registration.secret


def _output_folder(name: str) -> Path:
    """Create the folder and test that it is writable, before any kernel starts."""
    if not name.strip():
        raise InputError("bad_output_folder", "The output folder has no name.")
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        what = f"Nothing can be written to {quoted_path(name)}: {error.strerror or error}."
        raise InputError("bad_output_folder", what) from None


def _print_runs(outcome: RunOutcome, *, out: Path, as_json: bool) -> None:
    runs = outcome.runs
    if as_json:
        document((out / "summary.json").read_text("utf-8").rstrip())
        return
    several = len({run.client for run in runs}) > 1
    width = max((len(run.notebook) for run in runs), default=len("notebook"))
    answer(f"{'notebook':<{width}}  {'site':<8} {'result':<7} seconds")
    for run in runs:
        client = f"  {run.client}" if several else ""
        line = f"{run.notebook:<{width}}  {run.site:<8} {run.status:<7} {run.seconds:7.1f}{client}"
        answer(line)
        if run.error:
            answer(f"  {run.complaint}")
    answer("")
    if outcome.earlier is not None:
        _print_changes(outcome)
    answer(f"Report: {out / 'report.html'}")
    answer(f"Next: {_next_command(outcome, out=out)}")


def _print_changes(outcome: RunOutcome) -> None:
    parts, changes = outcome.comparison.parts, outcome.comparison.differences
    unchanged = "No differences in the cases that both runs have." if parts else _UNCHANGED
    many = f"{counted(len(changes), 'difference')} from the earlier run."
    answer(many if changes else unchanged)
    for part in parts:
        answer(f"  {part.words}")
    for change in changes[:_SHOWN]:
        answer(f"  {change.what}: {change.before} -> {change.now}")
    if len(changes) > _SHOWN:
        answer(f"  ... and {len(changes) - _SHOWN} more in the report")
    answer("")


def _next_command(outcome: RunOutcome, *, out: Path) -> str:
    """Return the command that most people need next; a failed run resumes with the same options."""
    alone = [run for run in outcome.failed if f"[{_NO_PERSON}]" in run.error]
    if len(outcome.failed) > len(alone):
        return _again(outcome, out=out, without={run.name for run in alone})
    sites = {case.site for case in outcome.cases}
    return "ddoauth lab" if alone or len(sites) > 1 else "ddoauth run --site all"


def _again(outcome: RunOutcome, *, out: Path, without: set[str]) -> str:
    """Return the command that reruns the cases that did not pass, and reports on all of them."""
    cases = [case for case in outcome.cases if case.name not in without]
    lessons = find_notebooks()
    asked = list(dict.fromkeys(case.notebook for case in cases))
    words = ["ddoauth", "run"]
    if asked != lessons:
        words += [path.stem[:2] if path in lessons else str(path) for path in asked]
    sites = list(dict.fromkeys(case.site for case in cases))
    if sites != ["us1"]:
        words += [word for site in sites for word in ("--site", site)]
    files = dict.fromkeys(case.client.path for case in cases if case.client.path)
    words += [word for file in files for word in ("--client", file)]
    words += ["--mode", "live"] if outcome.settings.mode == "live" else []
    words += ["--writes"] if outcome.settings.writes else []
    return shlex.join([*words, "--out", str(out), "--resume"])
