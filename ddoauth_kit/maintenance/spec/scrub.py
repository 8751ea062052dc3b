"""Remove private data from values: addresses, hosts, and anything that looks like a secret."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

_EMAIL: Final = re.compile(r"([\w.+-]+)@[\w-]+(?:\.[\w-]+)+")
_URL: Final = re.compile(r"\b((?:https?|wss?|ftp|s3)://)[^/\s\"'<>)\\]+")
# Long runs of hex digits, and long runs of letters and digits that look like a token.
_HEX: Final = re.compile(r"(?<![\w-])(?:0x)?[0-9a-fA-F]{24,}(?![\w-])|[0-9a-fA-F]{32,}")
_MIXED: Final = re.compile(
    r"(?<![\w/+.-])(?=[\w+/]*[0-9])(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z])[\w+/]{24,}={0,2}(?![\w/.-])"
)
_KNOWN: Final = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}|\b(?:gh[pousr]_|xox[abp]-|eyJ|sk-|pk_|ya29\.)[\w.-]{8,}"
    r"|-----BEGIN[\s\S]*"
)
_SECRET_NAMES: Final = re.compile(
    r"(?i)(secret|password|passphrase|credential|private_?key|access_?key|api_?key|app_?key"
    r"|application_?key|auth_?token|access_?token|bearer|signature|^token$|_token$|^hash$)(_value)?$"
)
_MARK: Final = "sandbox-"
# Probes use this as an id that never exists.
_ZERO_UUID: Final = re.compile(r"0{8}-0{4}-0{4}-0{4}-0{12}")
_SOME_UUID: Final = "5a4db0c5-0000-4000-8000-000000000000"


def scrubbed(value: Any, *, name: str = "") -> Any:  # noqa: ANN401 - JSON is anything
    """Return a JSON value without anything that looks private; equal parts remain equal."""
    if isinstance(value, dict):
        return {key: scrubbed(part, name=str(key)) for key, part in value.items()}
    if isinstance(value, list):
        return [scrubbed(part, name=name) for part in value]
    if isinstance(value, str):
        return _text(value, name=name)
    return value


def _text(text: str, *, name: str) -> str:
    if text.startswith(_MARK):
        return text
    if _SECRET_NAMES.search(name) and text:
        return f"{_MARK}{name.replace('_', '-')}".lower()
    text = _ZERO_UUID.sub(_SOME_UUID, text)
    text = _URL.sub(r"\1example.com", text)
    text = _EMAIL.sub(r"\1@example.com", text)
    for pattern in (_KNOWN, _HEX, _MIXED):
        text = pattern.sub(_marked, text)
    return text


def _marked(found: re.Match[str]) -> str:
    digest = hashlib.sha256(found[0].encode()).hexdigest()
    return f"{_MARK}{digest[:8]}"
