"""Read bytes as text: decode them, unpack them from archives, or take the strings in a binary."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP: Final = b"\x1f\x8b"
ZIP: Final = b"PK\x03\x04"
LARGEST: Final = 64 * 1024 * 1024
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\0"
_PACKED: Final = frozenset({GZIP[:1], ZIP[:1], _BZIP2[:1], _XZ[:1], b"x"})
_DEEPEST: Final = 5
# Formats that this module can't unpack.
_CLOSED: Final = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",  # Zstandard
    b"\x04\x22\x4d\x18",  # LZ4
    b"MSCF\0",
    b"]\0\0",  # LZMA without a container
)
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_RUNS: Final = re.compile(rb"[\t\n\r\x1b\x20-\x7e]{8,}")
_STRINGS: Final = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]{4,}")
_WIDE_STRINGS: Final = {
    "utf-16-le": re.compile(rb"(?:[\t\n\r\x20-\x7e]\0){4,}"),
    "utf-16-be": re.compile(rb"(?:\0[\t\n\r\x20-\x7e]){4,}"),
}
_CONTROL: Final = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
_FIRST: Final = frozenset(mark[:1] for mark, _ in _MARKS)
_SAMPLE: Final = 4096
_WIDE: Final = 0.3


class TooLargeError(Exception):
    """A container's contents exceed the limit."""


class ClosedContainerError(ValueError):
    """A container is encrypted, or is packed in an unsupported way."""


@dataclass(frozen=True, slots=True)
class Member:
    """Text that was read from bytes, its place in a container, and whether every byte was text.

    If the bytes have no known encoding, the text contains the strings that `strings` would print,
    one per line.
    """

    name: str
    text: str
    is_text: bool = True


def is_packed(data: bytes) -> bool:
    """Return whether bytes are a readable container: gzip, zip, tar, bzip2, xz or zlib."""
    if data[:1] in _PACKED and (
        data.startswith((GZIP, ZIP, _XZ)) or _is_bzip2(data) or _is_zlib(data)
    ):
        return True
    return _is_tar(data)


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _is_bzip2(data: bytes) -> bool:
    return data.startswith(_BZIP2) and data[4:10] in {b"1AY&SY", b"\x17rE8P\x90"}


def _is_zlib(data: bytes) -> bool:
    # RFC 1950: deflate with a window of 32 KB, and a checksum of these two bytes.
    return data[:1] == b"x" and len(data) > 2 and data[1] in {0x01, 0x5E, 0x9C, 0xDA}  # noqa: PLR2004


def members(data: bytes, *, name: str = "", room: int = LARGEST) -> Iterator[Member]:
    """Yield the text in bytes or, if the bytes are a container, each of its members with its name.

    Raises:
        TooLargeError: a container contains more than `room` bytes, or nests containers too deeply.
        ValueError: a container is broken.
    """
    yield from _members(data, name=name, room=room, depth=_DEEPEST)


def _members(data: bytes, *, name: str, room: int, depth: int) -> Iterator[Member]:
    if data.startswith(_CLOSED):
        raise ClosedContainerError
    if not is_packed(data):
        yield _member(data, name)
        return
    if not depth:
        raise TooLargeError
    for inner, content in _unpacked(data, room):
        room -= len(content)
        where = " in ".join(filter(None, (inner, name)))
        yield from _members(content, name=where, room=room, depth=depth - 1)


def _unpacked(data: bytes, room: int) -> Iterator[tuple[str, bytes]]:
    if _is_tar(data):
        yield from _untarred(data, room)
        return
    if not data.startswith(ZIP):
        yield "", _unpacked_whole(data, room)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.flag_bits & 1:
                    raise ClosedContainerError
                yield info.filename, b""
                if info.file_size > room:
                    raise TooLargeError
                with archive.open(info) as file:
                    content = file.read(room + 1)
                room -= len(content)
                if room < 0:
                    raise TooLargeError
                yield info.filename, content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ValueError(str(error)) from None
    except zlib.error as error:
        raise ValueError(str(error)) from None


def _untarred(data: bytes, room: int) -> Iterator[tuple[str, bytes]]:
    """Yield the contents of a tar file, and then its files' metadata as a separate member."""
    beside = bytearray()
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for info in archive:
                said = (info.linkname, info.uname, info.gname, *info.pax_headers.values())
                beside += "\n".join(("", *said)).encode("utf-8", "surrogateescape")
                file = archive.extractfile(info) if info.isreg() else None
                content = file.read(room + 1) if file else b""
                room -= len(content)
                if room < 0:
                    raise TooLargeError
                yield info.name.encode("utf-8", "replace").decode(), content
            rest = data[archive.offset :].strip(b"\0")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(str(error)) from None
    yield "", bytes(beside)
    yield "", rest


def _unpacked_whole(data: bytes, room: int) -> bytes:
    if data.startswith(GZIP):
        return _gunzipped(data, room)
    try:
        if _is_zlib(data):
            unpacked = zlib.decompressobj().decompress(data, room + 1)
        elif data.startswith(_XZ):
            unpacked = lzma.LZMADecompressor(memlimit=LARGEST * 2).decompress(data, room + 1)
        else:
            unpacked = bz2.BZ2Decompressor().decompress(data, room + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise ValueError(str(error)) from None
    if len(unpacked) > room:
        raise TooLargeError
    return unpacked


def _gunzipped(data: bytes, room: int) -> bytes:
    """Unpack every member of a gzip file, up to `room` bytes."""
    found = bytearray()
    try:
        while data.startswith(GZIP):
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            found += unpacker.decompress(data, room + 1 - len(found))
            if len(found) > room or unpacker.unconsumed_tail:
                raise TooLargeError
            if not unpacker.eof:
                break
            data = unpacker.unused_data
    except zlib.error as error:
        if not found:
            raise ValueError(str(error)) from None
    return bytes(found)


def _member(data: bytes, name: str) -> Member:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Member(name, data[len(mark) :].decode(encoding, "replace"))
    if encoding := _wide(data):
        return Member(name, data.decode(encoding, "replace"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if _is_latin(data):
            return Member(name, data.decode("utf-8", "replace"))
        return Member(name, _strings(data), is_text=False)
    return Member(name, text, is_text="\0" not in text)


def _strings(data: bytes) -> str:
    """Return the runs of readable characters in a binary, including two-byte characters."""
    found = _STRINGS.findall(data.decode("utf-8", "replace"))
    for encoding, pattern in _WIDE_STRINGS.items():
        found += [run.decode(encoding) for run in pattern.findall(data)]
    return "\n".join(found)


def _is_latin(data: bytes) -> bool:
    """Return whether bytes are text in an older encoding: without zeros, and mostly readable."""
    sample = data[: _SAMPLE * 16]
    return b"\0" not in sample and sum(map(len, _RUNS.findall(sample))) * 2 > len(sample)


def _wide(data: bytes) -> str:
    """Return the UTF-16 variant of text without a BOM; for ASCII, every other byte is zero."""
    sample = data[:_SAMPLE]
    if len(sample) < 8 or b"\0" not in sample:  # noqa: PLR2004 - too short to tell
        return ""
    half = len(sample) // 2
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if odd > half * (1 - _WIDE) and even < half * _WIDE:
        return "utf-16-le"
    return "utf-16-be" if even > half * (1 - _WIDE) and odd < half * _WIDE else ""


def readable_text(data: bytes) -> str:
    """Decode bytes, or return their readable parts, if any, one per line."""
    if encoding := _wide(data):
        return data.decode(encoding, "replace")
    if data[:1] in _FIRST:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data[len(mark) :].decode(encoding, "replace")
    try:
        text = data.decode("utf-8")
        if not _CONTROL.search(text, 0, _SAMPLE):
            return text
    except UnicodeDecodeError:
        pass
    runs = _RUNS.findall(data)
    if runs and _is_latin(data):
        return data.decode("latin-1")
    return "\n".join(run.decode("ascii") for run in runs)
