"""Share a client that can be listened for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.graded import free_port
from support.scene import Scene

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import Http


@pytest.fixture
def scene(http: Http) -> Iterator[Scene]:
    """Give a sandbox whose client is registered with a free port of this machine."""
    with Sandbox() as sandbox:
        scene = Scene(sandbox, http)
        scene.listen_at(f"http://127.0.0.1:{free_port()}")
        yield scene
