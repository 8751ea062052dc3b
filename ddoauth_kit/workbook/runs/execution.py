"""Execute one notebook in a shared event loop, and return it without secrets."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nbclient.exceptions import CellExecutionError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import (
    prepare_notebook_metadata,
    raise_for_execution_errors,
    remove_error_markers,
)
from papermill.iorw import write_ipynb
from papermill.parameterize import parameterize_notebook

from ddoauth_kit.leaks.parameters import refuse_secret_parameters
from ddoauth_kit.result_files import without_link
from ddoauth_kit.workbook.runs.engine import MaskingManager
from ddoauth_kit.workbook.runs.kernels import (
    IOPUB_SECONDS,
    OWN_KERNEL,
    STARTUP_SECONDS,
    KernelClient,
)
from ddoauth_kit.workbook.runs.run_secrets import known_secrets
from ddoauth_kit.workbook.runs.source_notebook import load_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ddoauth_kit.workbook.runs.kernel_template import KernelTemplate

# How long masking may take after a notebook that ended late.
_FEWEST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Execution:
    """An executed notebook without secrets; `error` is empty if there was no error."""

    notebook: Any
    error: str
    seconds: float


class NotebookRunClient(KernelClient):
    """Drives a kernel in the same steps as papermill's client, while other notebooks continue.

    Papermill's own client blocks while it waits for each cell.
    """

    async def run(self) -> None:
        """Start a kernel, execute the cells up to the first failure, and stop the kernel."""
        self.reset_execution_trackers()
        self.km = self.create_kernel_manager()
        try:
            await self.async_start_new_kernel()
            await self.async_start_new_kernel_client()
            await self._execute_cells()
            message = await self.async_wait_for_reply(self.kc.kernel_info())
            if message is not None:
                self.nb.metadata["language_info"] = message["content"]["language_info"]
        finally:
            self.set_widgets_metadata()
            if self.km is not None:
                await self._async_cleanup_kernel()

    async def _execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                await self.async_execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)


async def execute(
    source: Path,
    *,
    output: Path,
    parameters: Mapping[str, Any],
    seconds: float | None = None,
    template: KernelTemplate | None = None,
) -> Execution:
    """Execute a notebook and write it to `output` without secrets, whether it fails or not.

    `seconds` is the time limit for the whole notebook, including masking: parts that have not been
    searched by then are not written. If the task is cancelled, nothing is written.

    Raises:
        InputError: `secret_parameter`.
        asyncio.CancelledError: the task was cancelled.
    """
    started = time.perf_counter()
    known = known_secrets(parameters)
    refuse_secret_parameters(parameters, secrets=known())
    manager = MaskingManager(
        _prepared(source, output=output, parameters=parameters), known=known, progress_bar=False
    )
    manager.notebook_start()
    crash = await _run(manager, seconds=seconds, template=template)
    manager.notebook_complete()
    until = (
        None
        if seconds is None
        else time.monotonic() + max(_FEWEST_SECONDS, seconds - _since(started))
    )
    masked = await asyncio.to_thread(manager.masked, until=until)
    late = "" if until is None or time.monotonic() < until else _late(seconds)
    error = manager.masker(crash or late) or _write(masked, output)
    if crash or late:
        write_ipynb(masked, str(without_link(output)))
    return Execution(masked, error, round(_since(started), 2))


def _prepared(source: Path, *, output: Path, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
    notebook = parameterize_notebook(
        load_notebook(source),
        dict(parameters),
        kernel_name=OWN_KERNEL,
        language="python",
    )
    return remove_error_markers(prepare_notebook_metadata(notebook, str(source), str(output)))


async def _run(
    manager: MaskingManager, *, seconds: float | None, template: KernelTemplate | None
) -> str:
    """Return the error that stopped the notebook, except a cell's, which is in the notebook.

    nbclient tells a cancelled task that its kernel died.
    """
    client = NotebookRunClient(
        manager,
        template=template,
        kernel_name=OWN_KERNEL,
        startup_timeout=STARTUP_SECONDS,
        timeout=None,  # `seconds` is the one limit, as the help says
        iopub_timeout=IOPUB_SECONDS,
    )
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(seconds) as limit:
            await client.run()
    except Exception as error:  # noqa: BLE001 - whatever ends a notebook, the others still run
        if limit.expired():
            return _late(seconds)
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        return f"{type(error).__name__}: {error}"
    return ""


def _late(seconds: float | None) -> str:
    return f"TimeoutError: The notebook did not finish within {seconds or 0:g} s."


def _since(started: float) -> float:
    return time.perf_counter() - started


def _write(notebook: Any, output: Path) -> str:  # noqa: ANN401 - papermill is untyped
    """Write a notebook as papermill does, with the first error marked; return that error."""
    without_link(output)
    try:
        raise_for_execution_errors(notebook, str(output))
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    write_ipynb(notebook, str(output))
    return ""
