"""The operations of the control interface: the address, schemas and action of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.switches import TOLERANCES
from ddoauth_kit.sandbox.sandbox_error import SandboxError
from ddoauth_kit.sandbox.server import control_schemas as schemas
from ddoauth_kit.sandbox.server.control_schemas import every, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.facts.switches import Switches
    from ddoauth_kit.sandbox.server.actions import Actions
    from ddoauth_kit.sandbox.state.orgs import Org

_NO_SCHEMA: Mapping[str, Any] = MappingProxyType({})
_DIGITS = 15
STREAM = "application/x-ndjson"


@dataclass(frozen=True)
class Question:
    """A request to the control interface: its checked body, and parts of its URL."""

    body: Mapping[str, Any]
    query: Mapping[str, str]
    segment: str = ""

    @property
    def after(self) -> int:
        """Return the number of the entry to start after."""
        text = self.query.get("after", "0")
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            raise SandboxError("after must be the number of an entry")
        return int(text)


@dataclass(frozen=True)
class ControlOperation:
    """One operation; `query` names its parameters, and `body` and `answer` are JSON Schemas."""

    id: str
    method: str
    path: str
    summary: str
    act: Callable[[Actions, Question], Any]
    answer: Mapping[str, Any] = field(default_factory=lambda: schemas.DONE)
    body: Mapping[str, Any] = field(default_factory=lambda: _NO_SCHEMA)
    query: Mapping[str, str] = field(default_factory=lambda: _NO_SCHEMA)
    content_type: str = "application/json"


def _journal(actions: Actions, question: Question) -> dict[str, Any]:
    entries = actions.entries(after=question.after)
    last = entries[-1].number if entries else actions.last_number
    return {"entries": [entry.document() for entry in entries], "last": last}


def _inject(actions: Actions, question: Question) -> dict[str, Any]:
    asked = question.body
    actions.inject(asked["fault"], org=asked.get("org"), attempt=asked.get("attempt"))
    return {}


def _clear_faults(actions: Actions, question: Question) -> dict[str, Any]:
    actions.clear_faults(org=question.query.get("org"))
    return {}


def _switch(actions: Actions, question: Question) -> dict[str, Any]:
    return _switches(actions.switch(**question.body))


def _switches(switches: Switches) -> dict[str, Any]:
    return {
        "rotate": switches.rotates,
        "basic": switches.basic,
        "v1_token": switches.v1_token,
        "tolerate": sorted(switches.tolerates),
    }


def _set_lifetime(actions: Actions, question: Question) -> dict[str, Any]:
    lifetime = actions.set_lifetime(**question.body)
    return {"access_token": lifetime.access_token, "claims": lifetime.claims}


def _advance(actions: Actions, question: Question) -> dict[str, Any]:
    return {"now": actions.advance(question.body["advance"]).timestamp()}


def _organizations(actions: Actions, _question: Question) -> dict[str, Any]:
    return {"organizations": [_organization(org) for org in actions.organizations()]}


def _make_org(actions: Actions, question: Question) -> dict[str, Any]:
    given = {name: value for name, value in question.body.items() if value is not None}
    return _organization(actions.make_org(given.pop("site"), **given))


def _organization(org: Org) -> dict[str, Any]:
    return {
        "id": org.id,
        "name": org.name,
        "site": org.site.name,
        "user": org.admin.name,
        "site_url": org.site_url,
    }


def _end_org(actions: Actions, question: Question) -> dict[str, Any]:
    actions.end_org(question.segment)
    return {}


def _sign_in(actions: Actions, question: Question) -> dict[str, Any]:
    return {"url": actions.sign_in_path(question.segment)}


def _customer(actions: Actions, question: Question) -> dict[str, Any]:
    asked = dict(question.body)
    return _CUSTOMER[asked.pop("do")](actions, asked)


def _consents(actions: Actions, asked: dict[str, Any], *, approve: bool) -> dict[str, Any]:
    _needs(asked, "authorize_url")
    location = actions.consent(
        asked["authorize_url"],
        org=asked["org"],
        approve=approve,
        region=asked.get("region"),
        scopes=asked.get("scopes"),
    )
    return {"location": location}


def _of_app(act: Callable[..., object], asked: dict[str, Any], *more: str) -> dict[str, Any]:
    _needs(asked, "client_id", *more)
    named = {name: asked[name] for name in more}
    act(asked["client_id"], org=asked["org"], **named)
    return {}


def _revoke(actions: Actions, asked: dict[str, Any]) -> dict[str, Any]:
    _needs(asked, "client_id")
    actions.revoke(asked["client_id"], org=asked["org"], grant=asked.get("grant"))
    return {}


def _needs(asked: dict[str, Any], *names: str) -> None:
    for name in names:
        if asked.get(name) is None:
            raise SandboxError(f"{name} is missing")


_CUSTOMER: Mapping[str, Callable[[Actions, dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        "consent": lambda actions, asked: _consents(actions, asked, approve=True),
        "deny": lambda actions, asked: _consents(actions, asked, approve=False),
        "uninstall": lambda actions, asked: _of_app(actions.uninstall, asked),
        "disable": lambda actions, asked: _of_app(actions.disable, asked),
        "enable": lambda actions, asked: _of_app(actions.enable, asked),
        "block-scope": lambda actions, asked: _of_app(actions.block_scope, asked, "scope"),
        "allow-scope": lambda actions, asked: _of_app(actions.allow_scope, asked, "scope"),
        "revoke": _revoke,
        "revoke-key": lambda actions, asked: _of_app(actions.revoke_keys, asked),
    }
)


def _register(actions: Actions, question: Question) -> dict[str, Any]:
    return actions.register(question.body).description()


def _amend_client(actions: Actions, question: Question) -> dict[str, Any]:
    client = actions.amend_client(question.segment, **question.body)
    return {n: v for n, v in client.description().items() if n != "client_secret"}


def _leaks(actions: Actions, question: Question) -> dict[str, Any]:
    return {"found": list(actions.leaks(question.body["text"]))}


def _reset(actions: Actions, _question: Question) -> dict[str, Any]:
    actions.reset()
    return {}


_AFTER = {"after": "Start after the entry with this number."}
_ORG = {"org": "The id of an organization."}
OPERATIONS: tuple[ControlOperation, ...] = (
    ControlOperation(
        "readJournal",
        "GET",
        "/control/journal",
        "Return the entries of the journal, oldest first.",
        _journal,
        every(
            entries={"type": "array", "items": schemas.ENTRY},
            last=schemas.COUNT,
        ),
        query=_AFTER,
    ),
    ControlOperation(
        "followJournal",
        "GET",
        "/control/journal/stream",
        "Stream the journal's entries as they arrive, one JSON object per line.",
        lambda _actions, question: question.after,
        schemas.ENTRY,
        query=_AFTER,
        content_type=STREAM,
    ),
    ControlOperation(
        "injectFault",
        "POST",
        "/control/faults",
        "Cause a fault for everybody, one organization or one attempt.",
        _inject,
        body=shape(
            "fault",
            fault=schemas.NAME,
            org=schemas.OPTIONAL_TEXT,
            attempt=schemas.OPTIONAL_TEXT,
        ),
    ),
    ControlOperation(
        "clearFaults",
        "DELETE",
        "/control/faults",
        "End all faults, or those of one organization.",
        _clear_faults,
        query=_ORG,
    ),
    ControlOperation(
        "setSwitches",
        "PUT",
        "/control/switches",
        "Change the named switches, and leave the others unchanged.",
        _switch,
        schemas.SWITCHES,
        body=shape(
            rotate=schemas.OPTIONAL_SWITCH,
            basic=schemas.OPTIONAL_SWITCH,
            v1_token=schemas.OPTIONAL_SWITCH,
            tolerate={
                "type": ["array", "null"],
                "items": {"type": "string", "enum": list(TOLERANCES)},
            },
            org=schemas.OPTIONAL_TEXT,
        ),
    ),
    ControlOperation(
        "setLifetimes",
        "PUT",
        "/control/lifetimes",
        "Set the lifetime of new access tokens in seconds of real time; expires_in has the same "
        "value, or that of claims.",
        _set_lifetime,
        every(access_token=schemas.NUMBER, claims=schemas.NUMBER),
        body=shape(
            "access_token",
            access_token=schemas.NUMBER,
            claims=schemas.OPTIONAL_NUMBER,
            org=schemas.OPTIONAL_TEXT,
        ),
    ),
    ControlOperation(
        "advanceClock",
        "POST",
        "/control/clock",
        "Move the sandbox's clock forward by this number of seconds.",
        _advance,
        every(now=schemas.NUMBER),
        body=shape("advance", advance=schemas.NUMBER),
    ),
    ControlOperation(
        "listOrganizations",
        "GET",
        "/control/organizations",
        "List the organizations of all sites.",
        _organizations,
        every(organizations={"type": "array", "items": schemas.ORGANIZATION}),
    ),
    ControlOperation(
        "makeOrganization",
        "POST",
        "/control/organizations",
        "Create an organization with one user, who has all permissions unless you list some.",
        _make_org,
        schemas.ORGANIZATION,
        shape(
            "site",
            "name",
            site=schemas.NAME,
            name=schemas.NAME,
            user=schemas.OPTIONAL_TEXT,
            permissions=schemas.OPTIONAL_TEXTS,
            vanity=schemas.OPTIONAL_TEXT,
        ),
    ),
    ControlOperation(
        "endOrganization",
        "DELETE",
        "/control/organizations/{id}",
        "Remove an organization with its grants and keys, but never the first one of a site.",
        _end_org,
    ),
    ControlOperation(
        "signIn",
        "POST",
        "/control/organizations/{id}/browsers",
        "Return a one-time path on the app host that signs a browser in to the organization.",
        _sign_in,
        every(url=schemas.TEXT),
    ),
    ControlOperation(
        "actAsCustomer",
        "POST",
        "/control/customer",
        "Do what a customer or an administrator does on Datadog's pages.",
        _customer,
        shape(location=schemas.TEXT),
        shape(
            "do",
            "org",
            do={"type": "string", "enum": list(_CUSTOMER)},
            org=schemas.NAME,
            client_id=schemas.OPTIONAL_TEXT,
            scope=schemas.OPTIONAL_TEXT,
            grant=schemas.OPTIONAL_TEXT,
            authorize_url=schemas.OPTIONAL_TEXT,
            region=schemas.OPTIONAL_TEXT,
            scopes=schemas.OPTIONAL_TEXTS,
        ),
    ),
    ControlOperation(
        "registerClient",
        "POST",
        "/control/clients",
        "Register the client in an oauth_clients.json; only this response shows its secret.",
        _register,
        schemas.CLIENT,
        {"type": "object"},
    ),
    ControlOperation(
        "amendClient",
        "PATCH",
        "/control/clients/{id}",
        "Change a client's registration; its credentials and grants stay.",
        _amend_client,
        schemas.REGISTERED,
        shape(
            redirect_uris=schemas.OPTIONAL_TEXTS,
            scopes=schemas.OPTIONAL_TEXTS,
            onboarding_url=schemas.OPTIONAL_TEXT,
        ),
    ),
    ControlOperation(
        "findLeaks",
        "POST",
        "/control/leaks",
        "List the kinds of issued secrets in a text: in clear text, URL-encoded or in base64.",
        _leaks,
        every(found=schemas.TEXTS),
        shape("text", text=schemas.TEXT),
    ),
    ControlOperation(
        "reset",
        "POST",
        "/control/reset",
        "Reset the sandbox; clients keep their credentials.",
        _reset,
    ),
)
