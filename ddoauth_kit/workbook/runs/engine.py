"""Execute notebooks as papermill does, without writing any of their secrets.

    papermill in.ipynb out.ipynb --engine ddoauth -p SITE eu1

papermill writes the notebook before, during and after execution. The manager below writes masked
copies. The engine returns such a copy, which papermill writes at the end. Errors that papermill
prints come from that copy or are masked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import write_ipynb
from papermill.log import logger

from ddoauth_kit.leaks.notebooks import NotebookMasker, mask_notebook
from ddoauth_kit.leaks.parameters import plain_values, refuse_secret_parameters
from ddoauth_kit.masking.redaction import Masker
from ddoauth_kit.workbook.runs.kernels import (
    IOPUB_SECONDS,
    OWN_KERNEL,
    STARTUP_SECONDS,
    KernelClient,
)
from ddoauth_kit.workbook.runs.run_secrets import known_secrets
from ddoauth_kit.workbook.runs.source_notebook import refuse_other_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.secret import Secret


class MaskingManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the executed notebook in memory and saves only masked copies of it."""

    def __init__(
        self,
        nb: Any,  # noqa: ANN401 - papermill is untyped
        *,
        known: Callable[[], tuple[Secret, ...]] | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        self.nb: Any = nb
        parameters = nb.metadata.papermill.get("parameters", {})
        self.known = known or known_secrets(parameters)
        self._plain = plain_values(parameters)
        self._masker: tuple[tuple[Secret, ...], NotebookMasker] | None = None
        super().__init__(nb, **options)

    @property
    def masker(self) -> Masker:
        """Return a masker for all known secrets; it caches results until a new secret is known."""
        return self._notebook_masker().masker

    def masked(self, *, until: float | None = None) -> Any:  # noqa: ANN401 - as above
        """Return the notebook without secrets; `until` works as in `mask_notebook`."""
        return self._notebook_masker()(self.nb, until=until)

    def _notebook_masker(self) -> NotebookMasker:
        known = self.known()
        if self._masker is None or self._masker[0] != known:
            self._masker = known, NotebookMasker(Masker(known, keep=self._plain))
        return self._masker[1]

    def save(self, **given: Any) -> None:  # noqa: ANN401 - as above
        """Write the notebook without secrets; papermill may pass a newer one as `nb`."""
        self.nb = given.get("nb") or self.nb
        if self.output_path:
            write_ipynb(self.masked(), self.output_path)
        self.last_save_time = self.now()

    def get_cell_description(self, *given: Any, **named: Any) -> str | None:  # noqa: ANN401
        """Return the progress bar's text for a cell, without secrets."""
        said = super().get_cell_description(*given, **named)
        return said and self.masker(said)


class MaskingClient(KernelClient):
    """Copies outputs to papermill's log and files line by line, without secrets."""

    def __init__(self, *given: Any, **options: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(*given, **options)
        self._rest: dict[str, str] = {}

    def log_output_message(self, output: Any) -> None:  # noqa: ANN401 - as above
        """Pass on only whole lines, because a secret may be split between two messages."""
        if output.output_type != "stream":
            self._pass_on(mask_notebook(output, masker=self.nb_man.masker))
            return
        text = self._rest.get(output.name, "") + output.text
        whole, newline, rest = text.rpartition("\n")
        self._rest[output.name] = rest
        if newline:
            self._pass_on_text(output.name, whole + newline)

    def papermill_execute_cells(self) -> None:
        """Execute all cells, then pass on output without a final line break."""
        try:
            super().papermill_execute_cells()
        finally:
            for name, rest in self._rest.items():
                if rest:
                    self._pass_on_text(name, rest)

    def _pass_on_text(self, name: str, text: str) -> None:
        from nbformat.v4 import new_output

        masked = self.nb_man.masker(text)
        self._pass_on(new_output("stream", name=name, text=masked))  # type: ignore[no-untyped-call]

    def _pass_on(self, output: Any) -> None:  # noqa: ANN401 - as above
        super().log_output_message(output)


class DdoauthEngine(NBClientEngine):  # type: ignore[misc]
    """Papermill's engine `ddoauth`, which masks secrets in everything that it writes."""

    @classmethod
    def execute_notebook(  # noqa: PLR0913, PLR0917 - papermill's own signature
        cls,
        nb: Any,  # noqa: ANN401 - papermill is untyped
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool | dict[str, Any] = True,  # noqa: FBT001, FBT002 - as above
        log_output: bool = False,  # noqa: FBT001, FBT002 - as above
        autosave_cell_every: int = 30,
        **options: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Execute a notebook and return it without secrets.

        Raises:
            InputError: `secret_parameter` or `other_language`, before anything runs.
        """
        refuse_other_language(nb.metadata, name=str(options.get("input_path") or "given"))
        parameters = nb.metadata.papermill.get("parameters", {})
        known = known_secrets(parameters)
        refuse_secret_parameters(parameters, secrets=known())
        manager = MaskingManager(
            nb,
            known=known,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
        except Exception as error:
            mask_error(error, manager.masker)
            raise
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.masked()

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: MaskingManager,
        kernel_name: str,
        start_timeout: int = STARTUP_SECONDS,
        execution_timeout: int | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Execute the cells in this environment's kernel."""
        options.pop("input_path", None)
        timeout = options.pop("timeout", None)
        return MaskingClient(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=execution_timeout or timeout,
            iopub_timeout=IOPUB_SECONDS,
            log=logger,
            **options,
        ).execute()

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:  # noqa: ANN401, ARG003 - as above
        """Return the requested kernel, or else this environment's, but never the stored name."""
        return name or OWN_KERNEL

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:  # noqa: ANN401, ARG003
        """Return Python, even if a notebook does not name a language."""
        return language or "python"


def mask_error(error: BaseException | None, masker: Masker) -> None:
    """Mask the messages of an exception and its causes, because some quote a cell's source."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(masker(a) if isinstance(a, str) else a for a in error.args)
        error = error.__cause__ or error.__context__
