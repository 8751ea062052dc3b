"""Check the manifest: its version, fields, identity and pointers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from uuid import UUID

from ddoauth_kit.printable import counted
from ddoauth_kit.publishing.findings import Edit, Place, RuleFinding, finding, quoted
from ddoauth_kit.publishing.integration import CLIENT, MANIFEST, README, Readme
from ddoauth_kit.publishing.integration_files import Unreadable, find_file
from ddoauth_kit.publishing.json_document import BrokenJson, Document
from ddoauth_kit.publishing.markdown import anchor
from ddoauth_kit.publishing.uninstallation import HEADING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddoauth_kit.publishing.findings import RuleFinding
    from ddoauth_kit.publishing.history import EarlierManifest
    from ddoauth_kit.publishing.integration import Integration
    from ddoauth_kit.publishing.json_document import Document

VERSION: Final = "2.0.0"
POINTER: Final = f"{README}#{HEADING}"
MAX_DESCRIPTION: Final = 80
_TOP: Final = ("app_id", "display_on_public_website", "tile", "assets", "author", "owner")
_TILE: Final = (
    "overview",
    "configuration",
    "support",
    "changelog",
    "description",
    "title",
    "media",
    "classifier_tags",
)
_FILE: Final = re.compile(r"[^:]+\.(json|csv|pdf|png|jpe?g|md|txt|ya?ml)", re.IGNORECASE)
MAX_ENTRIES: Final = 8
MAX_VIDEOS: Final = 1
MAX_BYTES: Final = 1_000_000
MAX_CAPTION: Final = 300


def manifest_findings(
    integration: Integration, *, earlier: EarlierManifest
) -> Iterator[RuleFinding]:
    """Yield the problems in the manifest."""
    manifest = integration.manifest
    if manifest is None:
        what, fix = f"There is no {MANIFEST}.", "Add the integration's manifest, version 2.0.0."
        yield finding("manifest-missing", at=Place(MANIFEST), what=what, fix=fix)
    elif isinstance(manifest, Unreadable):
        what, fix = f"{MANIFEST} {manifest.why}.", "Replace it with JSON in UTF-8."
        yield finding("manifest-unreadable", at=Place(MANIFEST), what=what, fix=fix)
    elif isinstance(manifest, BrokenJson):
        what, fix = f"{MANIFEST} {manifest.why}.", "Correct the JSON at this position."
        yield finding("manifest-json", at=Place(MANIFEST, manifest.line), what=what, fix=fix)
    elif not isinstance(manifest.value, dict):
        what, fix = f"{MANIFEST} is not a JSON object.", "Start with { and end with }."
        yield finding("manifest-json", at=Place(MANIFEST, 1), what=what, fix=fix)
    else:
        yield from _version(manifest)
        yield from _repeated(manifest)
        if manifest.get("manifest_version") == VERSION:
            yield from _fields(manifest)
            yield from _identity(manifest, earlier)
            yield from _oauth(integration, manifest)
            yield from _uninstallation(integration, manifest)
            yield from _anchors(integration, manifest)
            yield from _values(manifest)
            yield from media_findings(integration.folder, manifest)
            yield from _files(integration, manifest)


def _version(manifest: Document) -> Iterator[RuleFinding]:
    version = manifest.get("manifest_version")
    if version != VERSION:
        what = f"The manifest's version is {quoted(version)}; nothing else in it was checked."
        fix = 'Move the manifest to version 2: "manifest_version": "2.0.0", fields under `tile`.'
        yield finding("manifest-version", at=manifest.place("manifest_version"), what=what, fix=fix)


def _repeated(manifest: Document) -> Iterator[RuleFinding]:
    for path, start in manifest.repeated:
        what = f"The key {quoted(path[-1])} occurs twice; the last one counts."
        line = manifest.file.line_at(start)
        fix = "Remove one of them."
        yield finding("manifest-duplicate-key", at=Place(MANIFEST, line), what=what, fix=fix)


def _fields(manifest: Document) -> Iterator[RuleFinding]:
    groups = (((), _TOP), (("tile",), _TILE))
    for above, names in groups:
        fields = manifest.get(*above)
        if not isinstance(fields, dict):
            continue
        for name in names:
            if name not in fields:
                where = ".".join((*above, name))
                what, fix = f"There is no field `{where}`.", "Add it; every manifest needs it."
                yield finding("manifest-fields", at=manifest.place(*above), what=what, fix=fix)


def _identity(manifest: Document, earlier: EarlierManifest) -> Iterator[RuleFinding]:
    found = manifest.get("app_uuid")
    if not isinstance(found, str) or not found.strip():
        what = "There is no `app_uuid`."
        fix = (
            "For a new integration, copy it from the Publishing tab; for an existing one, keep "
            "its value."
        )
        edits: tuple[Edit, ...] = ()
        if earlier.app_uuid:
            fix = f"Restore {quoted(earlier.app_uuid)}, as on {earlier.where}."
            known = "app_uuid" in manifest.value
            put = manifest.replaced if known else manifest.inserted
            edits = put("app_uuid", value=earlier.app_uuid)
        yield finding(
            "manifest-app-uuid", at=manifest.place("app_uuid"), what=what, fix=fix, edits=edits
        )
    elif earlier.app_uuid and found != earlier.app_uuid:
        what = f"`app_uuid` was {quoted(earlier.app_uuid)} on {earlier.where}."
        fix = "Restore it: an existing integration keeps its app_uuid."
        edits = manifest.replaced("app_uuid", value=earlier.app_uuid)
        rule = "manifest-app-uuid-changed"
        yield finding(rule, at=manifest.place("app_uuid"), what=what, fix=fix, edits=edits)
    elif not _is_uuid(found):
        what = f"`app_uuid` is {quoted(found)}, which is not a UUID."
        fix = "Copy it again from the Publishing tab."
        yield finding("manifest-app-uuid-format", at=manifest.place("app_uuid"), what=what, fix=fix)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower() and UUID(text).int != 0
    except ValueError:
        return False


def _uninstallation(integration: Integration, manifest: Document) -> Iterator[RuleFinding]:
    pointer = manifest.get("tile", "uninstallation")
    if not isinstance(pointer, str) or not pointer:
        what, fix = "`tile` has no `uninstallation`.", f'Add "uninstallation": "{POINTER}".'
        at, edits = manifest.place("tile"), _pointer_edits(manifest)
        yield finding("manifest-uninstallation", at=at, what=what, fix=fix, edits=edits)
        return
    at = manifest.place("tile", "uninstallation")
    if anchor(HEADING) in _headings(integration) and not _leads(pointer, {anchor(HEADING)}):
        what = f"`tile.uninstallation` is {quoted(pointer)}, which is not the heading {HEADING}."
        edits = manifest.replaced("tile", "uninstallation", value=POINTER)
        fix = f'Write "{POINTER}".'
        yield finding("manifest-uninstallation-anchor", at=at, what=what, fix=fix, edits=edits)
    names = list(manifest.get("tile"))
    place = names.index("uninstallation")
    if "support" in names and "support" not in names[max(place - 1, 0) : place + 2]:
        what = "`uninstallation` is not next to `support`."
        fix = (
            "Datadog's page puts it directly below; most manifests put it directly above. Both "
            "work."
        )
        yield finding("manifest-uninstallation-place", at=at, what=what, fix=fix)


def _pointer_edits(manifest: Document) -> tuple[Edit, ...]:
    """Return the edit that adds the pointer before `support`, where most manifests have it."""
    tile = manifest.get("tile")
    if isinstance(tile, dict) and "uninstallation" in tile:
        return manifest.replaced("tile", "uninstallation", value=POINTER)
    return manifest.inserted("tile", "uninstallation", value=POINTER, before="support")


def _headings(integration: Integration) -> set[str]:
    readme = integration.readme
    headings = readme.page.headings if isinstance(readme, Readme) else ()
    return {anchor(heading.text) for heading in headings}


def _leads(pointer: str, headings: set[str]) -> bool:
    """Return whether a pointer matches one of these README headings."""
    file, _, target = pointer.partition("#")
    return file == README and anchor(unquote(target)) in headings


def _anchors(integration: Integration, manifest: Document) -> Iterator[RuleFinding]:
    """Yield broken pointers, except those that a README rule already explains."""
    headings = _headings(integration) | {"overview", "setup"}
    if not isinstance(integration.readme, Readme):
        return
    for name in ("overview", "configuration", "support"):
        pointer = manifest.get("tile", name)
        if isinstance(pointer, str) and not _leads(pointer, headings):
            what = f"`tile.{name}` is {quoted(pointer)}, which is not a heading of the README."
            fix = "Point to an existing heading, or add the heading."
            yield finding("manifest-anchor", at=manifest.place("tile", name), what=what, fix=fix)


def _values(manifest: Document) -> Iterator[RuleFinding]:
    text = manifest.get("tile", "description")
    size = len(text.strip()) if isinstance(text, str) else 0
    if text is not None and not 0 < size <= MAX_DESCRIPTION:
        what = f"`tile.description` has {size} characters."
        fix = f"Write 1 to {MAX_DESCRIPTION} characters; in the marketplace repository, at most 70."
        at = manifest.place("tile", "description")
        yield finding("manifest-description", at=at, what=what, fix=fix)
    public = manifest.get("display_on_public_website")
    if public is not None and not isinstance(public, bool):
        what = f"`display_on_public_website` is {quoted(public)}."
        at, fix = manifest.place("display_on_public_website"), "Write true or false, unquoted."
        yield finding("manifest-public-website", at=at, what=what, fix=fix)
    email = manifest.get("author", "support_email")
    if isinstance(email, str) and not email.isascii():
        what = f"`author.support_email` is {quoted(email)}."
        at, fix = manifest.place("author", "support_email"), "Write it in ASCII."
        yield finding("manifest-support-email", at=at, what=what, fix=fix)


def _oauth(integration: Integration, manifest: Document) -> Iterator[RuleFinding]:
    named = manifest.get("assets", "oauth")
    there = integration.client is not None
    if isinstance(integration.client, Unreadable) and named is not None:
        return
    if named is None and there:
        what, fix = "`assets` has no `oauth`.", f'Add "oauth": "{CLIENT}".'
        edits = manifest.inserted("assets", "oauth", value=CLIENT)
        yield finding(
            "manifest-oauth", at=manifest.place("assets"), what=what, fix=fix, edits=edits
        )
    elif named is not None and (
        not isinstance(named, str) or find_file(integration.folder, named) is None
    ):
        what = f"`assets.oauth` is {quoted(named)}, which is not a file in the folder."
        usable = there and named != CLIENT
        edits = manifest.replaced("assets", "oauth", value=CLIENT) if usable else ()
        fix = f"Add the file from the Publishing tab, as {CLIENT}."
        path = ("assets", "oauth")
        yield finding(
            "manifest-oauth-file", at=manifest.place(*path), what=what, fix=fix, edits=edits
        )


def _files(integration: Integration, manifest: Document) -> Iterator[RuleFinding]:
    for path in manifest.members:
        name = manifest.get(*path)
        if path and _names_file(path, name) and find_file(integration.folder, name) is None:
            what = f"`{'.'.join(map(str, path))}` names {quoted(name)}, which is not in the folder."
            fix = "Add the file, or correct the name."
            yield finding("manifest-file-missing", at=manifest.place(*path), what=what, fix=fix)


def _names_file(path: tuple[str | int, ...], value: object) -> bool:
    """Return whether a field is known to contain a path inside the folder."""
    if not isinstance(value, str) or path == ("assets", "oauth"):
        return False
    if path == ("tile", "changelog") or path[:2] == ("tile", "media"):
        return path[-1] in {"changelog", "image_url"} and bool(value)
    return path[0] in {"assets", "legal_terms"} and _FILE.fullmatch(value) is not None


def media_findings(folder: Path, manifest: Document) -> Iterator[RuleFinding]:
    """Yield the problems in `tile.media`."""
    media = manifest.get("tile", "media")
    if not isinstance(media, list):
        return
    at = manifest.place("tile", "media")
    if len(media) > MAX_ENTRIES:
        what, fix = f"`tile.media` has {len(media)} entries.", f"Keep at most {MAX_ENTRIES}."
        yield finding("manifest-media-count", at=at, what=what, fix=fix)
    entries = [(i, entry) for i, entry in enumerate(media) if isinstance(entry, dict)]
    videos = [i for i, entry in entries if entry.get("media_type") == "video"]
    if len(videos) > MAX_VIDEOS:
        at = manifest.place("tile", "media", videos[MAX_VIDEOS])
        what, fix = f"`tile.media` has {len(videos)} videos.", "Keep one."
        yield finding("manifest-media-videos", at=at, what=what, fix=fix)
    for i, entry in entries:
        for rule, field, what, fix in _entry_faults(folder, entry):
            at = manifest.place("tile", "media", i, field)
            yield finding(rule, at=at, what=what, fix=fix)


def _entry_faults(folder: Path, entry: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rule, field, problem and fix."""
    caption = entry.get("caption")
    if not isinstance(caption, str) or not 0 < len(caption.strip()) <= MAX_CAPTION:
        size = len(caption) if isinstance(caption, str) else "no"
        what = f"A caption has {counted(size, 'character')}."
        yield "manifest-media-caption", "caption", what, f"Write 1 to {MAX_CAPTION}."
    name = entry.get("image_url")
    if not isinstance(name, str) or not name:
        return
    if not name.lower().endswith((".png", ".jpg")):
        what = f"{quoted(name)} is neither .png nor .jpg."
        yield "manifest-media-format", "image_url", what, "Save the picture as PNG or JPEG."
    path = find_file(folder, name)
    if path is not None and path.stat().st_size > MAX_BYTES:
        what = f"{quoted(name)} has {path.stat().st_size} bytes."
        fix = f"Shrink the picture to {MAX_BYTES} bytes."
        yield "manifest-media-size", "image_url", what, fix
