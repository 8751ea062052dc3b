"""A Flask server that connects Datadog as the documentation of Authlib's Flask client shows it."""

from __future__ import annotations

import os
import secrets
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = os.environ["SESSION_SECRET"]
TOKENS: dict[str, Any] = {}


def fetch_token() -> Any:
    """Return the token of this session."""
    return TOKENS.get(session.get("user", ""))


def update_token(token: Any, **_: Any) -> None:
    """Keep the token that Authlib has refreshed."""
    TOKENS[session["user"]] = token


oauth = OAuth(app)
oauth.register(
    name="datadog",
    client_id=os.environ["DD_CLIENT_ID"],
    client_secret=os.environ["DD_CLIENT_SECRET"],
    authorize_url="https://app.datadoghq.com/oauth2/v1/authorize",
    access_token_url="https://api.datadoghq.com/api/v2/oauth2/token",
    refresh_token_url="https://api.datadoghq.com/api/v2/oauth2/token",
    api_base_url="https://api.datadoghq.com/api/",
    fetch_token=fetch_token,
    update_token=update_token,
    client_kwargs={"scope": "monitors_read dashboards_read", "code_challenge_method": "S256"},
)


@app.route("/connect/datadog")
def login() -> Any:
    """Send the customer to Datadog."""
    return oauth.datadog.authorize_redirect(url_for("authorize", _external=True))


@app.route("/oauth/callback")
def authorize() -> Any:
    """Exchange the code, and keep the token for this session."""
    token = oauth.datadog.authorize_access_token()
    session["user"] = secrets.token_urlsafe(16)
    TOKENS[session["user"]] = token
    return redirect("/")


@app.route("/")
def home() -> str:
    """Show whether Datadog is connected."""
    if fetch_token():
        return "Connected to Datadog"
    return '<a href="/connect/datadog">Connect Datadog</a>'


@app.route("/monitors")
def monitors() -> Any:
    """List monitors with the customer's token."""
    response = oauth.datadog.get("v1/monitor")
    response.raise_for_status()
    return response.json()


if __name__ == "__main__":
    app.run(host="localhost", port=int(os.environ["PORT"]))
