"""Find kernels as Jupyter does, and keep the current folder off their import path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from jupyter_client.kernelspec import KernelSpecManager

from ddoauth_kit.own_python import SAFE

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec


# Jupyter replaces all these names with this interpreter.
_THIS_PYTHON: Final = (
    sys.executable,
    "python",
    f"python{sys.version_info[0]}",
    f"python{sys.version_info[0]}.{sys.version_info[1]}",
)


class SafeKernelSpecs(KernelSpecManager):
    """Changes each kernel's command or environment so that it imports nothing from its folder.

    A kernel that runs this interpreter gets the option, which its child processes don't inherit.
    Other kernels get the variable, which Python ignores before version 3.11.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel's specification with the option or the variable."""
        found = super().get_kernel_spec(kernel_name)
        if found.argv and found.argv[0] in _THIS_PYTHON:
            found.argv = [found.argv[0], SAFE, *found.argv[1:]]
        else:
            found.env = {**found.env, "PYTHONSAFEPATH": "1"}
        return found
