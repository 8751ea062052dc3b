"""The control interface: what its document says, and who may use it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.sandbox.server.control_operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Partner

OPERATOR = "the control key of these tests"
LAUNCHER = "the launcher's narrower key"
FILE = {"integration": {"name": "a", "redirect_uris": ["https://a.example/cb"], "scopes": ["s"]}}


class Remote:
    """Call a sandbox's control interface, and check each response against the document."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(
            base_url=sandbox.base_url, headers={"X-Sandbox-Key": OPERATOR}, **PLAIN
        )
        self.document = self.http.get("/control/openapi.json").json()
        self.called: set[str] = set()

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Send one request; its response must match the document."""
        given = {} if body is None else {"json": body}
        answer = self.http.request(method, path, **given)
        assert answer.status_code == status, answer.text
        described = self._described(method, path)
        if described is not None:
            said = described["responses"][str(status)]["content"]["application/json"]["schema"]
            schema = {**said, "components": self.document["components"]}
            jsonschema.validate(answer.json(), schema)
            self.called.add(described["operationId"])
        return answer.json()

    def _described(self, method: str, path: str) -> Any:
        where = path.partition("?")[0].split("/")
        for template, methods in self.document["paths"].items():
            parts = template.split("/")
            same = len(parts) == len(where) and all(
                a in {b, "{id}"} for a, b in zip(parts, where, strict=True)
            )
            if same and method.lower() in methods:
                return methods[method.lower()]
        return None


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    """Give one controlled sandbox for the module."""
    with Sandbox(operator_key=OPERATOR, control_key=LAUNCHER) as sandbox:
        remote = Remote(sandbox)
        yield remote
        remote.http.close()


@pytest.fixture
def partner(remote: Remote, make_partner: Callable[..., Partner]) -> Partner:
    """Give a partner at US1 of that sandbox."""
    return make_partner(remote.sandbox)


def test_the_document_is_openapi(remote: Remote) -> None:
    """It has version, key and an id for each operation, and every schema is JSON Schema."""
    document = remote.document
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["key"]["name"] == "X-Sandbox-Key"
    found = [each for methods in document["paths"].values() for each in methods.values()]
    assert sorted(each["operationId"] for each in found) == sorted(o.id for o in OPERATIONS)
    for operation in OPERATIONS:
        jsonschema.Draft202012Validator.check_schema(dict(operation.answer))
        jsonschema.Draft202012Validator.check_schema(dict(operation.body))


def test_every_operation_answers_as_described(remote: Remote, partner: Partner) -> None:
    """Each operation is called over HTTP, and its response matches the document's schema."""
    client = remote.sandbox.client
    org = remote("POST", "/control/organizations", {"site": "us1", "name": "Initech"})["id"]
    remote("GET", "/control/organizations")
    remote("POST", f"/control/organizations/{org}/browsers")
    remote("POST", "/control/faults", {"fault": "slow:1", "org": org, "attempt": None})
    remote("DELETE", f"/control/faults?org={org}")
    remote("PUT", "/control/switches", {"rotate": True, "tolerate": ["no-pkce"], "org": org})
    remote("PUT", "/control/lifetimes", {"access_token": 5, "claims": 90, "org": org})
    remote("POST", "/control/clock", {"advance": 1.5})
    url = f"https://app.datadoghq.com/oauth2/v1/authorize?{httpx.QueryParams(partner.parameters())}"
    consent = {"do": "consent", "authorize_url": url, "org": org}
    assert "code=" in remote("POST", "/control/customer", consent)["location"]
    remote("POST", "/control/clients", FILE)
    changes = {"redirect_uris": list(client.redirect_uris)}
    assert "client_secret" not in remote("PATCH", f"/control/clients/{client.client_id}", changes)
    remote("POST", "/control/leaks", {"text": client.client_secret})
    remote("GET", "/control/journal?after=1")
    remote("DELETE", f"/control/organizations/{org}")
    remote("POST", "/control/reset")
    assert remote.called == {operation.id for operation in OPERATIONS} - {"followJournal"}


def test_the_stream_brings_entries_as_they_come(remote: Remote, partner: Partner) -> None:
    """A follower gets what is there and then each new entry, one JSON object a line."""
    partner.call("/api/v2/current_user")
    last = remote("GET", "/control/journal")["last"]
    schema = remote.document["paths"]["/control/journal/stream"]["get"]["responses"]["200"]
    with remote.http.stream("GET", f"/control/journal/stream?after={last - 1}") as answer:
        lines = answer.iter_lines()
        first = json.loads(next(lines))
        caller = threading.Thread(target=partner.call, args=("/api/v2/users",))
        caller.start()
        second = json.loads(next(lines))
        caller.join()
    assert (first["number"], second["number"]) == (last, last + 1)
    assert second["path"] == "/api/v2/users"
    jsonschema.validate(second, schema["content"]["application/x-ndjson"]["schema"])


@pytest.mark.behaviour("control-refused")
@pytest.mark.parametrize("key", ["", "guess", LAUNCHER, "\xff"])
def test_without_the_key_nothing_is_told(remote: Remote, key: str) -> None:
    """A missing key, a wrong one and the launcher's get 401 at every address, existing or not."""
    said = set()
    for path in ("/control/journal", "/control/openapi.json", "/control/nowhere"):
        headers = {"X-Sandbox-Key": key.encode("latin-1")}
        answer = httpx.get(remote.sandbox.base_url + path, headers=headers, **PLAIN)
        assert answer.status_code == 401
        said.add(answer.text)
    assert len(said) == 1
    assert not [entry for entry in remote.sandbox.journal if OPERATOR in repr(entry)]


@pytest.mark.behaviour("control-refused")
def test_a_sandbox_without_a_key_has_no_control(sandbox: Sandbox, remote: Remote) -> None:
    """Any request looks like a missing page, and the key does not open the kernels' interface."""
    headers = {"X-Sandbox-Key": ""}
    url = f"{sandbox.base_url}/control/journal"
    assert httpx.get(url, headers=headers, **PLAIN).status_code == 404
    joining = remote.http.post("/control", json={"do": "join"})
    assert joining.status_code == 404


def test_the_front_does_not_lead_to_control(remote: Remote) -> None:
    """A request that came by one of Datadog's names is never one to the sandbox itself."""
    headers = {"ddoauth-front-host": "app.datadoghq.com"}
    assert remote.http.get("/control/journal", headers=headers).status_code == 404
    assert remote.http.get("/", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/control/faults", {}, "Fault is missing."),
        ("POST", "/control/faults", [], "The body must be an object."),
        ("POST", "/control/faults", {"fault": "slwo"}, "Did you mean slow"),
        ("POST", "/control/faults", {"fault": 7}, "Fault must be a string."),
        ("POST", "/control/faults", {"fault": "slow", "ogr": "x"}, "Did you mean org?"),
        ("PUT", "/control/switches", {"rotate": 1}, "Rotate must be true or false or null."),
        ("PUT", "/control/switches", {"tolerate": ["no-pkec"]}, "Did you mean no-pkce"),
        ("PUT", "/control/lifetimes", {"access_token": 0}, "A lifetime of 0 seconds"),
        ("PUT", "/control/lifetimes", {"access_token": True}, "Access_token must be a number."),
        ("POST", "/control/clock", {"advance": -1}, "The clock only moves forward"),
        ("POST", "/control/organizations", {"site": "mars", "name": "a"}, "Unknown site 'mars'"),
        ("POST", "/control/organizations", {"site": "us1", "name": ""}, "must not be empty"),
        ("POST", "/control/customer", {"do": "uninstal", "org": "x"}, "Did you mean uninstall"),
        ("POST", "/control/clients", {"integration": {}}, "The client: name must be a string."),
        ("GET", "/control/journal?after=x", None, "After must be the number of an entry."),
        ("GET", "/control/journal?befroe=1", None, "Unknown parameter 'befroe'"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    remote: Remote, method: str, path: str, body: Any, words: str
) -> None:
    """A request that cannot be done gets 400, and the sentence says what to change."""
    (sentence,) = remote(method, path, body, status=400)["errors"]
    assert words in sentence
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/control/faults", {"fault": "slow", "org": "nobody"}),
        ("DELETE", "/control/organizations/nobody", None),
        ("PATCH", "/control/clients/nobody", {"scopes": []}),
        ("GET", "/control/nowhere", None),
        ("DELETE", "/control/journal", None),
        ("POST", "/control/customer", {"do": "uninstall", "org": "nobody", "client_id": "x"}),
    ],
)
def test_what_is_not_there_is_404(remote: Remote, method: str, path: str, body: Any) -> None:
    """An unknown id and an unknown operation are distinguished from a bad request."""
    assert remote(method, path, body, status=404)["errors"]
