"""Compare `import ddoauth_kit` with `import httpx`, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from timing import interleaved, table

ROUNDS = 15


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Print a table of whole-process times."""
    codes = {
        "nothing": "pass",
        "httpx": "import httpx",
        "ddoauth_kit": "import ddoauth_kit",
        "ddoauth_kit, every name": "from ddoauth_kit import *",
    }
    times = interleaved(
        {name: lambda code=code: _python(code) for name, code in codes.items()}, rounds=ROUNDS
    )
    print(table(("import", "ms, median [min-max]"), list(times.items())))  # noqa: T201


if __name__ == "__main__":
    main()
