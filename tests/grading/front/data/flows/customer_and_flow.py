"""Be a partner's program and its customers in one namespace; print what the program said."""

import json
import os
import ssl
import sys

import httpx
from support.flows import SITES, connected, flow_command, running
from support.visitors import Person

from ddoauth_kit.workbook.lab.scripted_browser import Browser


class BrowserInside(Browser):
    """Trust what the namespace trusts, and know no proxy."""

    def __init__(self) -> None:
        trusted = ssl.create_default_context()
        self._client = httpx.Client(verify=trusted, trust_env=False, timeout=10)


with running(flow_command(sys.argv[1]), os.environ) as flow:
    said = {
        site: connected(
            Person(BrowserInside()), flow, domain=domain, client_id=os.environ["CLIENT_ID"]
        )
        for site, domain in SITES.items()
    }
sys.stdout.write(json.dumps(said))
