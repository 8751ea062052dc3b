"""Run cases on an existing Dask cluster, through its `concurrent.futures` interface.

Only names and notebooks without secrets are sent. The sender masks the secrets that it knows in
everything it sends, and masks the results again, because a worker doesn't know these secrets. A
live run on a cluster takes its credentials from each worker's own environment. Dask uses pickle, so
use only a scheduler that you trust.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import tempfile
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.leaks.notebooks import mask_notebook
from ddoauth_kit.leaks.parameters import refuse_secret_parameters
from ddoauth_kit.masking.redaction import redact_body
from ddoauth_kit.result_files import write_text
from ddoauth_kit.workbook.runs.collect import result
from ddoauth_kit.workbook.runs.run_secrets import secrets_here
from ddoauth_kit.workbook.runs.scheduler_knock import knock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from distributed import Client

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.workbook.runs.run_matrix import Case, NotebookRun, RunSettings

CONNECT_SECONDS: Final = 15
TOPIC: Final = "ddoauth-runs"


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that a worker needs for a case; the two sides might not share files."""

    run: str
    name: str
    notebook: str
    parameters: dict[str, Any]
    client: str = ""
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class OrderResult:
    """A worker's result: the executed notebook as text, without secrets."""

    notebook: str
    error: str
    seconds: float


@dataclass(slots=True)
class ClusterRunner:
    """Runs cases on the workers of a Dask scheduler, with one kernel per worker thread.

    Dask repeats a task if its worker is lost. Each start is reported to the scheduler, so the
    result shows if a case was started twice.
    """

    address: str
    timeout: float | None = None
    _run: str = field(default_factory=lambda: uuid.uuid4().hex)

    def run(
        self,
        cases: Iterable[Case],
        *,
        settings: RunSettings,
        out: Path,
        done: Callable[[NotebookRun], None],
    ) -> bool:
        """Execute all cases, and call `done` as each one ends; return False if interrupted.

        Raises:
            InputError: `no_executor`.
        """
        with self._client() as client:
            executor = client.get_executor(pure=False)
            orders = {
                executor.submit(fulfil, self._order(case, settings=settings)): case
                for case in cases
            }
            try:
                for future in concurrent.futures.as_completed(orders):
                    done(self._result(future, orders[future], client=client, out=out))
            except KeyboardInterrupt:
                for future in orders:
                    future.cancel()
                return False
        return True

    @contextmanager
    def _client(self) -> Iterator[Client]:
        if find_spec("distributed") is None:
            what = 'Dask is not installed: pip install "ddoauth-kit[dask]".'
            raise InputError("no_executor", what)
        knock(self.address)
        from distributed import Client  # takes a second: a wrong address is refused before

        try:
            client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            what = f"No Dask scheduler answers at {self.address!r}: {type(error).__name__}."
            raise InputError("no_executor", what) from None
        with client:
            yield client

    def _order(self, case: Case, *, settings: RunSettings) -> Order:
        secrets = secrets_here()
        parameters = settings.parameters(case)
        refuse_secret_parameters(parameters, secrets=secrets)
        client = edited_text(Path(case.client.path)) if case.client.path else ""
        return Order(
            run=self._run,
            name=case.name,
            notebook=_without_secrets(edited_text(case.notebook), secrets),
            parameters=parameters,
            client=redact_body(client, secrets=secrets) if client else "",
            timeout=self.timeout,
        )

    def _result(
        self,
        future: concurrent.futures.Future[OrderResult],
        case: Case,
        *,
        client: Client,
        out: Path,
    ) -> NotebookRun:
        attempts = max(1, self._beginnings(client)[case.name])
        try:
            answer = future.result()
        except Exception as error:  # noqa: BLE001 - whatever a cluster does to one case
            text = f"{type(error).__name__}: {error}"
            return result(case, error=text, seconds=0.0, attempts=attempts)
        from nbformat import v4

        text = _without_secrets(answer.notebook, secrets_here())
        write_text(out / f"{case.name}.ipynb", text)
        return result(
            case,
            error=answer.error,
            seconds=answer.seconds,
            notebook=v4.reads(text),  # type: ignore[no-untyped-call]
            attempts=attempts,
        )

    def _beginnings(self, client: Client) -> Counter[str]:
        """Return how many times each case was started on any worker."""
        events = client.get_events(TOPIC)
        mine = (event for _, event in events if event.get("run") == self._run)
        return Counter(event["case"] for event in mine)


def _without_secrets(text: str, secrets: Iterable[Secret]) -> str:
    """Return a notebook's text without secrets, in the newest format that this process knows."""
    import nbformat

    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    masked = mask_notebook(notebook, secrets=secrets)
    return str(nbformat.writes(masked))  # type: ignore[no-untyped-call]


def fulfil(order: Order) -> OrderResult:
    """Execute an order on a worker, and return the notebook without secrets."""
    from ddoauth_kit.workbook.runs.execution import execute

    _tell_beginning(order)
    with tempfile.TemporaryDirectory(prefix="ddoauth-") as folder:
        source, output = Path(folder) / "source.ipynb", Path(folder) / "output.ipynb"
        source.write_text(order.notebook, encoding="utf-8")
        parameters = dict(order.parameters)
        if order.client:
            client = Path(folder) / "oauth_clients.json"
            client.write_text(order.client, encoding="utf-8")
            parameters["CLIENT"] = str(client)
        try:
            executed = asyncio.run(
                execute(source, output=output, parameters=parameters, seconds=order.timeout)
            )
        except DdoauthError as error:
            return OrderResult(order.notebook, f"{type(error).__name__}: {error}", 0.0)
        return OrderResult(output.read_text("utf-8"), executed.error, executed.seconds)


def _tell_beginning(order: Order) -> None:
    from distributed import get_worker

    with suppress(ValueError):  # not in a worker
        get_worker().log_event(TOPIC, {"run": order.run, "case": order.name})
