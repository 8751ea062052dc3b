"""Find kernels as Jupyter does, and keep the current folder off their import path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jupyter_client.kernelspec import KernelSpecManager

from ddoauth_kit.own_python import SAFE

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec


class SafeKernelSpecs(KernelSpecManager):
    """Add to each kernel's command, or environment, that it imports nothing from its folder.

    A kernel of this interpreter gets the option, which its own child processes do not inherit. Of
    another one the version is not known, and a Python before 3.11 ignores the variable.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel's specification with the option or the variable."""
        found = super().get_kernel_spec(kernel_name)
        if found.argv[:1] == [sys.executable]:
            found.argv = [sys.executable, SAFE, *found.argv[1:]]
        else:
            found.env = {**found.env, "PYTHONSAFEPATH": "1"}
        return found
