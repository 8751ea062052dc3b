"""Offer partners a sandbox as a pytest fixture: `datadog_sandbox`.

pytest finds this module automatically if the kit is installed, so the module loads nothing until a
test requests the fixture. For an example, see `tests/test_pytest_plugin.py`.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.sandbox.testing import WatchedSandbox


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that sets the sandbox's options."""
    config.addinivalue_line(
        "markers",
        "datadog_sandbox(**options): start the fixture's sandbox with these options, such as "
        "profile='rfc', faults=['slow:1'], scopes=[...] or client_file=Path(...)",
    )


@pytest.fixture
def datadog_sandbox(request: pytest.FixtureRequest) -> Iterator[WatchedSandbox]:
    """Run a sandbox for a single test, with its journal, faults and assertions.

    While the test runs, this process can connect only to this machine; an attempt to reach any
    other host fails and is recorded.
    """
    try:
        from ddoauth_kit.sandbox.testing import WatchedSandbox
    except ModuleNotFoundError as error:
        pytest.skip(f'{error.name} is missing: pip install "ddoauth-kit[sandbox]"')
    mark = request.node.get_closest_marker("datadog_sandbox")
    with WatchedSandbox(**(mark.kwargs if mark else {})) as sandbox:
        yield sandbox
