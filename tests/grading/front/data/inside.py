"""Serve sandbox and front inside a namespace, run a command there, and print what came of it."""

import argparse
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.environment import trust_variables
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.isolation import as_before, prepare
from ddoauth_kit.grading.front.proxy import Front
from ddoauth_kit.grading.front.relays import Relay
from ddoauth_kit.grading.front.trust_files import TrustFiles
from ddoauth_kit.sandbox import Sandbox

parser = argparse.ArgumentParser()
parser.add_argument("--forward", default="")
parser.add_argument("--take-443", action="store_true")
parser.add_argument("command", nargs="+")
given = parser.parse_args()
seen: list[list[object]] = []
found: dict[str, object] = {"seen": seen}
with ExitStack() as stack:
    authority = Authority()
    trust = stack.enter_context(TrustFiles(authority, environment=os.environ))
    try:
        # A namespace's loopback is down until it is prepared, also for the sandbox.
        hosts = HostTable.of_sandbox("http://127.0.0.1:8126")
        prepare(hosts, trust, environment=os.environ, command=given.command)
        if given.take_443:
            stack.enter_context(socket.create_server(("127.0.0.1", 443)))
        stack.enter_context(Sandbox(port=8126))
        front = Front(
            hosts,
            authority,
            record=lambda r: seen.append([r.treatment, r.host, r.site, r.status]),
        )
        stack.enter_context(front.listen_as_hosts())
        if given.forward:
            port, _, place = given.forward.partition(":")
            stack.enter_context(Relay(listen=int(port), connect=Path(place)))
        done = subprocess.run(
            as_before(given.command, os.environ),
            env={**os.environ, **trust_variables(os.environ, trust=trust)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        found["output"] = done.stdout
    except FrontError as error:
        found["error"] = str(error)
sys.stdout.write(json.dumps(found))
