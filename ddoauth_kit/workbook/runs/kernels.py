"""Start the current environment's kernel reliably, over private sockets."""

from __future__ import annotations

import asyncio
import os
import shutil
from importlib.metadata import EntryPoint
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, Final

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient

from ddoauth_kit.own_python import python_environment
from ddoauth_kit.socket_folder import new_socket_folder
from ddoauth_kit.workbook.runs.kernel_template import LAUNCHER
from ddoauth_kit.workbook.runs.safe_kernels import SafeKernelSpecs

if TYPE_CHECKING:
    from ddoauth_kit.workbook.runs.kernel_template import KernelTemplate

OWN_KERNEL: Final = "ddoauth-python"
STARTUP_SECONDS: Final = 30
IOPUB_SECONDS: Final = 60  # nbclient waits 4 s for outputs, too short on a busy machine
_ARGUMENTS: Final = [
    "--HistoryManager.hist_file=:memory:",
    "--IPKernelApp.log_level=40",
    "--IPKernelApp.ignore_cwd=True",  # before IPython 9.7 a kernel adds the current folder itself
]
FORKED: Final = EntryPoint(
    name="ddoauth-forked",
    value="ddoauth_kit.workbook.runs.kernel_template:ForkedProvisioner",
    group=KernelProvisionerFactory.GROUP_NAME,
)


class OwnKernelSpecs(SafeKernelSpecs):
    """Offers this environment's Python as a kernel, so you don't have to install one."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the running interpreter for `OWN_KERNEL`, or else an installed kernel."""
        if kernel_name != OWN_KERNEL:
            return super().get_kernel_spec(kernel_name)
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )


class PrivateKernelManager(AsyncKernelManager):
    """Talks to a kernel over sockets in a private folder.

    TCP ports are chosen before they are used, so two kernels may choose the same port, and every
    user of the machine can connect to it. The folder also contains the connection file. Ports are
    used only if the paths of all folders are too long for a socket.
    """

    template: KernelTemplate | None = None

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - traitlets
        super().__init__(**options)
        self.kernel_spec_manager = OwnKernelSpecs(parent=self)
        self._folder, is_short = new_socket_folder()
        self.connection_file = str(self._folder / "kernel.json")
        if os.name == "posix" and is_short:
            self.transport = "ipc"
            self.ip = str(self._folder / "k")

    async def _async_pre_start_kernel(self, **options: Any) -> Any:  # noqa: ANN401 - as above
        """Launch from the template, if any; keep the current folder off the import path."""
        options["env"] = python_environment(options.get("env") or os.environ)
        if self.template is not None and self.kernel_spec is not None:
            factory = KernelProvisionerFactory.instance(parent=self.parent)
            factory.provisioners[FORKED.name] = FORKED
            self.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": FORKED.name}
        return await super()._async_pre_start_kernel(**options)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


class KernelClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes notebooks as papermill does, with a kernel that starts reliably and stops at once.

    A kernel that doesn't start is started a second time. It is stopped at once because a graceful
    shutdown sometimes takes seconds for no benefit. A kernel's output outside its cells is
    discarded, because nothing masks it.
    """

    def __init__(
        self,
        nb_man: Any,  # noqa: ANN401 - papermill is untyped
        *,
        template: KernelTemplate | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        options.setdefault("kernel_manager_class", PrivateKernelManager)
        options.setdefault("shutdown_kernel", "immediate")
        # Cells are not written to a history file.
        options["extra_arguments"] = [*_ARGUMENTS, *options.get("extra_arguments", ())]
        super().__init__(nb_man, **options)
        self.template = template
        self._watching: asyncio.Future[None] | None = None

    def create_kernel_manager(self) -> Any:  # noqa: ANN401 - as above
        """Return a manager that uses the template, if there is one."""
        manager = super().create_kernel_manager()
        manager.template = self.template
        return manager

    async def async_start_new_kernel(self, **options: Any) -> None:  # noqa: ANN401 - as above
        """Start a kernel without output."""
        options = {"stdout": DEVNULL, "stderr": DEVNULL, **options}
        await super().async_start_new_kernel(**options)

    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_start_new_kernel_client(self) -> Any:  # noqa: ANN401 - as above
        """Connect to the kernel; start another one if the first doesn't respond."""
        try:
            return await super().async_start_new_kernel_client()
        except RuntimeError:
            self.km = self.create_kernel_manager()
            await self.async_start_new_kernel()
            return await super().async_start_new_kernel_client()

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    def _async_poll_kernel_alive(self) -> asyncio.Future[None]:
        """Watch the kernel until its cell ends; a cancelled cell leaves the watch to this class."""
        self._watching = asyncio.ensure_future(super()._async_poll_kernel_alive())
        return self._watching

    async def _async_cleanup_kernel(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)
