"""Send one request by the client that is named first; print its status, or the error's name."""

import http.client
import sys
import urllib.request
from urllib.parse import urlencode, urlsplit

client, url, *pairs = sys.argv[1:]
form = dict(pair.split("=", 1) for pair in pairs)
try:
    if client == "requests":
        import requests

        answer = requests.request("POST" if form else "GET", url, data=form, timeout=20)
        status = answer.status_code
    elif client == "httpx":
        import httpx

        answer = httpx.post(url, data=form) if form else httpx.get(url)
        status = answer.status_code
    elif client == "urllib":
        body = urlencode(form).encode() if form else None
        with urllib.request.urlopen(url, body, timeout=20) as opened:
            status = opened.status
    elif client == "urllib3":
        import urllib3

        status = urllib3.PoolManager().request("POST" if form else "GET", url, fields=form).status
    else:
        import ssl

        parts = urlsplit(url)
        link = http.client.HTTPSConnection(
            parts.hostname, parts.port, context=ssl.create_default_context()
        )
        link.request("GET", parts.path)
        status = link.getresponse().status
except OSError as error:
    status = getattr(error, "code", type(error).__name__)
sys.stdout.write(f"{status}\n")
