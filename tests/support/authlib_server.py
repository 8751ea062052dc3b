"""Run an independent authorization server: Authlib on Flask, at Datadog's paths.

It knows nothing about the kit. It follows RFC 6749, and adds to the redirect what Datadog adds:
`domain` and `site`. Consent is always given.
"""

# ruff: noqa: ARG002, D102 - the methods and their arguments are Authlib's
from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify
from werkzeug.serving import make_server

DOMAIN = "lab1.example.com"
APP_URL = "https://app.lab1.example.com"
USER = "a customer"


@dataclass
class Client(ClientMixin):
    """The only registered client."""

    client_id: str
    client_secret: str
    redirect_uri: str
    scope: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str) -> str:
        return scope or self.scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, self.client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}


@dataclass
class Code:
    """An authorization code that has not been exchanged yet."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Token(TokenMixin):
    """One pair of tokens."""

    client_id: str
    access_token: str
    refresh_token: str
    scope: str
    expires_in: int
    issued_at: float
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.expires_in

    def is_expired(self) -> bool:
        return time.time() > self.issued_at + self.expires_in

    def is_revoked(self) -> bool:
        return self.revoked


class AuthlibServer:
    """Serves one client on its own port; with `rotate`, a refresh returns a new refresh token."""

    def __init__(self, *, client: Client, rotate: bool) -> None:
        self.client = client
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []
        self.minted: list[str] = []
        self.keys: list[str] = []
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, _app(self, rotate=rotate), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def mint(self, kind: str) -> str:
        """Return a new credential, and record it for tests that look for leaks."""
        self.minted.append(f"{kind}-{secrets.token_urlsafe(24)}")
        return self.minted[-1]

    def mint_key(self) -> str:
        """Return a new API key, shaped like Datadog's."""
        self.keys.append(secrets.token_hex(16))
        self.minted.append(self.keys[-1])
        return self.keys[-1]

    def save(self, token: dict[str, Any], request: Any) -> None:
        """Store the issued token; after a refresh without a new one, the old one stays valid."""
        values = {name: token.get(name, "") for name in ("access_token", "refresh_token", "scope")}
        self.tokens.append(
            Token(
                client_id=request.client.client_id,
                expires_in=token["expires_in"],
                issued_at=time.time(),
                **values,
            )
        )

    def find(self, name: str, value: str) -> Token | None:
        """Return the token whose field has this value."""
        return next((t for t in self.tokens if value and getattr(t, name) == value), None)


def _app(state: AuthlibServer, *, rotate: bool) -> Flask:
    app = Flask("authlib-server")
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = lambda **_: state.mint("refresh")
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = lambda **_: state.mint("access")
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: (
            state.client if client_id == state.client.client_id else None
        ),
        save_token=state.save,
    )
    server.register_grant(_code_grant(state), [CodeChallenge(required=True)])
    server.register_grant(_refresh_grant(state, rotate=rotate))
    server.register_endpoint(_revocation(state))
    _route(app, server, state)
    return app


def _route(app: Flask, server: AuthorizationServer, state: AuthlibServer) -> None:
    bearer = ResourceProtector()
    bearer.register_token_validator(_bearer(state))

    @app.get("/oauth2/v1/authorize")
    def authorize() -> Response:
        grant = server.get_consent_grant(end_user=USER)
        answer = server.create_authorization_response(grant_user=USER, grant=grant)
        answer.headers["Location"] += "&" + urlencode({"domain": DOMAIN, "site": APP_URL})
        return answer

    @app.post("/api/v2/oauth2/token")
    def token() -> Response:
        return server.create_token_response()

    @app.post("/oauth2/v1/revoke")
    def revoke() -> Response:
        return server.create_endpoint_response("revocation")

    @app.post("/api/v2/api_keys/marketplace")
    @bearer("api_keys_write")
    def marketplace() -> tuple[Response, int]:
        if state.keys:
            return jsonify(errors=["An API key with this name already exists"]), 409
        attributes = {"key": state.mint_key(), "name": "OAuth Client API Key"}
        return jsonify(data={"type": "api_keys", "id": "key-id", "attributes": attributes}), 201


def _code_grant(state: AuthlibServer) -> type[grants.AuthorizationCodeGrant]:
    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)

        def validate_authorization_request(self) -> str:
            payload = self.request.payload
            if payload.data.get("code_challenge_method") != "S256":
                raise InvalidRequestError("S256 is required.")
            if not payload.data.get("code_challenge"):
                raise InvalidRequestError("A code challenge is required.")
            return super().validate_authorization_request()

        def generate_authorization_code(self) -> str:
            return state.mint("code")

        def save_authorization_code(self, code: str, request: Any) -> None:
            payload = request.payload
            state.codes[code] = Code(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=payload.redirect_uri,
                scope=payload.scope,
                code_challenge=payload.data["code_challenge"],
                code_challenge_method=payload.data["code_challenge_method"],
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            found = state.codes.get(code)
            return found if found and found.client_id == client.client_id else None

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del state.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> str:
            return USER

    return CodeGrant


def _refresh_grant(state: AuthlibServer, *, rotate: bool) -> type[grants.RefreshTokenGrant]:
    class RefreshGrant(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)
        INCLUDE_NEW_REFRESH_TOKEN = rotate

        def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
            found = state.find("refresh_token", refresh_token)
            return found if found and not found.revoked else None

        def authenticate_user(self, refresh_token: Token) -> str:
            return USER

        def revoke_old_credential(self, refresh_token: Token) -> None:
            refresh_token.revoked = rotate

    return RefreshGrant


def _revocation(state: AuthlibServer) -> type[RevocationEndpoint]:
    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = ("client_secret_post",)

        def query_token(self, token_string: str, token_type_hint: str) -> Token | None:
            names = [token_type_hint] if token_type_hint else ["access_token", "refresh_token"]
            return next(filter(None, (state.find(name, token_string) for name in names)), None)

        def revoke_token(self, token: Token, request: Any) -> None:
            token.revoked = True

    return Revocation


def _bearer(state: AuthlibServer) -> BearerTokenValidator:
    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return state.find("access_token", token_string)

    return Validator()
