"""Map a site's addresses to handlers, and answer unknown addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from ddoauth_kit.sandbox.api.operations import call_operation
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal, page_refusal
from ddoauth_kit.sandbox.oauth.authorization_endpoint import show_consent
from ddoauth_kit.sandbox.oauth.consent_decision import decide
from ddoauth_kit.sandbox.oauth.token_endpoint import (
    issue_tokens_v1,
    issue_tokens_v2,
    revoke_token,
)
from ddoauth_kit.sandbox.pages import customer_pages as pages
from ddoauth_kit.sandbox.pages import scope_management

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.state import Twin

    Handler = Callable[[Twin, Incoming], Answer]

Served = TypeVar("Served")


@dataclass
class _Node(Generic[Served]):
    fixed: dict[str, _Node[Served]] = field(default_factory=dict)
    any: _Node[Served] | None = None
    served: Served | None = None


class PathTree(Generic[Served]):
    """A tree of templates like `/api/v1/monitor/{monitor_id}`, which finds the one for a path.

    It tries a literal segment before a placeholder.
    """

    def __init__(self) -> None:
        self._root: _Node[Served] = _Node()

    def add(self, template: str, served: Served) -> None:
        """Serve the paths that match a template."""
        node = self._root
        for segment in template.split("/"):
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(segment, _Node())
        node.served = served

    def find(self, path: str) -> Served | None:
        """Return the value for a path; a placeholder matches one non-empty segment."""
        return _find(self._root, path.split("/"), 0)


def _find(node: _Node[Served], segments: list[str], depth: int) -> Served | None:
    if depth == len(segments):
        return node.served
    segment = segments[depth]
    exact = node.fixed.get(segment)
    found = _find(exact, segments, depth + 1) if exact is not None else None
    if found is None and node.any is not None and segment:
        return _find(node.any, segments, depth + 1)
    return found


@dataclass(frozen=True)
class Route:
    """One address: the handlers for its methods, and the operations behind them."""

    handlers: dict[str, Handler]
    operations: dict[str, str]


_PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/oauth2/v1/authorize", show_consent),
    ("POST", "/oauth2/v1/authorize", decide),
    ("GET", "/", pages.go_home),
    ("GET", "/sign-in", pages.sign_in),
    ("POST", "/switch-org", pages.switch_org),
    ("GET", "/integrations", pages.show_integrations),
    ("POST", "/integrations/connect", pages.connect_accounts),
    ("POST", "/integrations/uninstall", pages.uninstall),
    ("GET", "/developer", pages.show_developer),
    ("POST", "/developer/test-authorization", pages.connect_accounts),
    ("POST", "/developer/publish", pages.publish),
    ("POST", "/developer/import", pages.import_to_site),
    ("GET", "/organization-settings/api-keys", pages.show_api_keys),
    ("POST", "/organization-settings/api-keys/revoke", pages.revoke_api_key),
    ("GET", "/organization-settings/authorized-apps", pages.show_authorized_apps),
    ("POST", "/organization-settings/authorized-apps/revoke", pages.revoke_grant),
    ("POST", "/organization-settings/authorized-apps/disable", pages.disable_app),
    ("GET", "/organization-settings/app-scopes", scope_management.show_scopes),
    ("POST", "/organization-settings/app-scopes/scope", scope_management.change_scope),
    ("POST", "/organization-settings/app-scopes/new", scope_management.change_new_scopes),
    ("POST", "/organization-settings/app-scopes/app", scope_management.change_app),
)


_TOKENS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/api/v2/oauth2/token", issue_tokens_v2),
    ("POST", "/oauth2/v1/token", issue_tokens_v1),
    ("POST", "/oauth2/v1/revoke", revoke_token),
)


TOKEN_PATHS = frozenset(path for _, path, _ in _TOKENS)


@cache
def routes() -> Mapping[str, PathTree[Route]]:
    """Return the routes for each host role, which are created once for all sandboxes."""
    entries: dict[str, list[tuple[str, str, Handler, str]]] = {
        "app": [(*entry, "") for entry in _PAGES],
        "api": [(*entry, "") for entry in _TOKENS],
        "logs": [],
        "events": [],
    }
    for operation in catalogue().operations:
        handler = partial(call_operation, operation=operation)
        entry = (operation.method, operation.path, handler, operation.id)
        entries[operation.role].append(entry)
    return MappingProxyType({role: _tree(found) for role, found in entries.items()})


def _tree(entries: list[tuple[str, str, Handler, str]]) -> PathTree[Route]:
    found: dict[str, Route] = {}
    for method, path, handler, name in entries:
        route = found.setdefault(path, Route(handlers={}, operations={}))
        route.handlers[method] = handler
        route.operations[method] = name
    tree: PathTree[Route] = PathTree()
    for path, route in found.items():
        tree.add(path, route)
    return tree


def find_route(role: str, path: str) -> Route | None:
    """Return the route for a path under a host role."""
    return routes()[role].find(path)


def route_request(twin: Twin, incoming: Incoming) -> Answer:
    """Answer a request to a known host on a known site."""
    route = find_route(incoming.role, incoming.path)
    if route is None and incoming.role == "app" and incoming.path in TOKEN_PATHS:
        if not twin.tolerates("token-at-app"):
            raise page_refusal("token-app-host", "This page does not exist.", status=404)
        route = find_route("api", incoming.path)
    if route is None:
        raise not_found(incoming.role)
    handler = route.handlers.get(incoming.method)
    if handler is None:
        raise _wrong_method(incoming.role, allowed=", ".join(route.handlers))
    return handler(twin, incoming)


def not_found(role: str) -> Refusal:
    """Refuse an address that this host does not serve, in the host's own format."""
    if role == "app":
        return page_refusal("unknown-path", "This page does not exist.", status=404)
    return api_refusal("unknown-path", 404, "Not found")


def _wrong_method(role: str, *, allowed: str) -> Refusal:
    if role == "app":
        refusal = page_refusal(
            "wrong-method", ("This address does not support this method."), status=405
        )
    else:
        refusal = api_refusal("wrong-method", 405, "Method not allowed")
    refusal.headers = (("Allow", allowed),)
    return refusal
