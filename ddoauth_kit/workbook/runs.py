"""Execute notebooks for sites with papermill, one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.workbook.tables import collected_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nbformat import NotebookNode

STARTUP_SECONDS: Final = 30
CELL_SECONDS: Final = 300
_QUIET_KERNEL: Final = ["--IPKernelApp.log_level=40"]
_NO_KERNEL: Final = ("Kernel died", "Kernel didn't respond")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Say with which parameters notebooks run; names only, never a credential."""

    mode: str = "sandbox"
    client: str = ""
    writes: bool = False

    def parameters(self, site: str) -> dict[str, str | bool]:
        """Return the notebooks' parameters for one site."""
        return {
            "SITE": site,
            "MODE": self.mode,
            "CLIENT": self.client,
            "WRITES": self.writes,
        }


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """Hold what came of one notebook on one site.

    `status` is passed or failed; `seconds` is wall time; `error` is one paragraph, empty where
    there was none; `output` is the executed notebook's file name; `tables` are its result tables
    by name, as lists of rows.
    """

    notebook: str
    site: str
    status: str
    seconds: float
    error: str
    output: str
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)


def run_notebooks(
    notebooks: Iterable[Path], *, sites: Iterable[str], settings: RunSettings, out: Path
) -> Iterator[NotebookRun]:
    """Execute each notebook for each site, one after the other, yielding each as it ends.

    A failing notebook does not stop the others. Executed notebooks are written to `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    sites = tuple(sites)
    for notebook in notebooks:
        for site in sites:
            yield _run(notebook, site=site, settings=settings, out=out)


def _run(notebook: Path, *, site: str, settings: RunSettings, out: Path) -> NotebookRun:
    output = out / f"{notebook.stem}.{site}.ipynb"
    started = time.perf_counter()
    executed, error = _execute(notebook, output, settings.parameters(site))
    return NotebookRun(
        notebook=notebook.stem,
        site=site,
        status="failed" if error else "passed",
        seconds=round(time.perf_counter() - started, 2),
        error=error,
        output=output.name,
        tables=_tables(executed) if executed is not None else {},
    )


def _execute(
    notebook: Path, output: Path, parameters: dict[str, str | bool]
) -> tuple[NotebookNode | None, str]:
    """Return the executed notebook and its first error; a kernel that fails to start is retried.

    Kernels pick their ports freely, so that two may pick the same one.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    for last in (False, True):
        try:
            executed = papermill.execute_notebook(
                notebook,
                output,
                parameters=parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=STARTUP_SECONDS,
                execution_timeout=CELL_SECONDS,
                shutdown_kernel="immediate",
                extra_arguments=_QUIET_KERNEL,
            )
        except PapermillExecutionError as error:
            return _read(output), f"{error.ename}: {error.evalue}"
        except Exception as error:  # noqa: BLE001 - whatever ends a notebook, the others still run
            if last or not str(error).startswith(_NO_KERNEL):
                return None, f"{type(error).__name__}: {' '.join(str(error).split())}"
        else:
            return executed, ""
    raise AssertionError("unreachable")


def _read(path: Path) -> NotebookNode:
    import nbformat

    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def _tables(notebook: NotebookNode) -> dict[str, list[dict[str, Any]]]:
    """Return the result tables that the notebook's outputs carry; the last of a name counts."""
    outputs = (
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    return dict(table for output in outputs if (table := collected_table(output)))
