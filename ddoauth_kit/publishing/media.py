"""Check the pictures and videos of a tile against ddev's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.publishing.files import find_file
from ddoauth_kit.publishing.findings import finding, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddoauth_kit.publishing.document import Document
    from ddoauth_kit.publishing.findings import Finding

MAX_ENTRIES: Final = 8
MAX_VIDEOS: Final = 1
MAX_BYTES: Final = 1_000_000
MAX_CAPTION: Final = 300


def media_findings(folder: Path, manifest: Document) -> Iterator[Finding]:
    """Yield what is wrong with `tile.media`."""
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
    """Yield rule, field, what and fix."""
    caption = entry.get("caption")
    if not isinstance(caption, str) or not 0 < len(caption.strip()) <= MAX_CAPTION:
        size = len(caption) if isinstance(caption, str) else "no"
        what = f"A caption has {size} characters."
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
