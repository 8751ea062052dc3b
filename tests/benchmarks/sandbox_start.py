"""Compare the sandbox's start to its first answer with a Starlette app that does nothing."""

from __future__ import annotations

import subprocess
import sys

from timing import interleaved, table

ROUNDS = 9
SANDBOX = """
import urllib.request
from ddoauth_kit.sandbox import Sandbox
with Sandbox() as sandbox:
    urllib.request.urlopen(sandbox.base_url).read()
"""
BARE = """
import threading, time, socket, urllib.request, uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
listener = socket.create_server(("127.0.0.1", 0))
config = uvicorn.Config(app, log_level="error", lifespan="off", http="h11", loop="asyncio")
server = uvicorn.Server(config)
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
thread.start()
while not server.started:
    time.sleep(0.001)
urllib.request.urlopen(f"http://127.0.0.1:{listener.getsockname()[1]}/").read()
server.should_exit = True
thread.join()
"""


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Print whole-process times: interpreter, imports, start, one answer, stop."""
    subjects = {"bare Starlette on uvicorn": BARE, "Sandbox()": SANDBOX}
    times = interleaved(
        {name: lambda code=code: _python(code) for name, code in subjects.items()}, rounds=ROUNDS
    )
    print(table(("process", "ms, median [min-max]"), list(times.items())))  # noqa: T201


if __name__ == "__main__":
    main()
