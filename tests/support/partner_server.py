"""Run a partner's server in several processes, as the page on servers describes.

uvicorn loads `app` in each of its workers; the environment contains the sandbox's address and the
folder for pending attempts.
"""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from ddoauth_kit import (
    DATADOG_SITES,
    ClientRegistration,
    DdoauthError,
    Endpoints,
    FileStore,
    OAuthClient,
    Secret,
)
from ddoauth_kit.oauth.file_records import FileRecords
from ddoauth_kit.oauth.shared_pending import SharedPending
from support.recipes import recipes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "partner_session"


def _client(settings: dict[str, Any], place: Any) -> OAuthClient:
    """Return the kit's client for the sandbox that the settings describe."""
    client = settings["client"]
    sites = DATADOG_SITES.at(
        {name: Endpoints(**urls) for name, urls in settings["endpoints"].items()}
    )
    registration = ClientRegistration(
        client_id=client["client_id"],
        client_secret=Secret(client["client_secret"], label="client_secret"),
        name=client["name"],
        sites=sites.names,
        scopes=tuple(client["scopes"]),
        redirect_uris=tuple(client["redirect_uris"]),
    )
    return OAuthClient(registration, sites=sites, pending=SharedPending(place, sites=sites))


def make_app() -> Starlette:
    """Return the server with the routes that a partner has."""
    settings = json.loads(os.environ["PARTNER_SETTINGS"])
    found = recipes()
    where = settings["pending"]
    places = {"redis": found["RedisRecords"], "sqlite": found["SqlRecords"], "files": FileRecords}
    client = _client(settings, places[where.partition(":")[0]](_address(where)))
    store = FileStore(settings["store"])

    def onboard(request: Request) -> Response:
        session = request.cookies.get(COOKIE) or secrets.token_urlsafe(16)
        query = request.query_params
        started = client.begin(domain=query["domain"], site_url=query["site"], session=session)
        answer = RedirectResponse(started.url, status_code=302)
        answer.set_cookie(COOKIE, session, httponly=True)
        return answer

    def callback(request: Request) -> Response:
        session = request.cookies.get(COOKIE, "")
        try:
            tokens, key = found["connect"](client, store, request.url.query, session)
        except DdoauthError as error:
            return JSONResponse({"code": error.code, "pid": os.getpid()}, status_code=400)
        return JSONResponse({"org": tokens.dd_oid, "key_id": key.key_id, "pid": os.getpid()})

    def customers(_request: Request) -> Response:
        grants = found["kept_grants"](client, store=store)
        alive = [grant.slot.org for grant in grants if grant.tokens().access_token]
        return JSONResponse({"orgs": sorted(alive), "pid": os.getpid()})

    return Starlette(
        routes=[
            Route("/onboard", onboard),
            Route("/callback", callback),
            Route("/customers", customers),
        ]
    )


def _address(where: str) -> str:
    return where if where.startswith("redis:") else where.partition(":")[2]
