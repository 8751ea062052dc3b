"""A file is replaced as a whole, for whom it should be, and what fails leaves nothing behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.whole_files import ONLY_ME, write_whole

if TYPE_CHECKING:
    from pathlib import Path

FILL = """
import resource, signal, sys
from pathlib import Path
from ddoauth_kit.whole_files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    write_whole(Path(sys.argv[1]), b"n" * 50)
except OSError as error:
    print(error.strerror)
"""


def test_old_content_gives_way_to_new(tmp_path: Path) -> None:
    """A second write replaces the first, and no draft stays."""
    path = tmp_path / "kept.json"
    for content in (b"one", b"two"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX systems")
def test_mode_is_of_the_new_file(tmp_path: Path) -> None:
    """A file that was open to others is closed by the write."""
    path = tmp_path / "kept.json"
    path.write_bytes(b"open to all")
    path.chmod(0o666)
    write_whole(path, b"mine", mode=ONLY_ME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """The target of a link stays unchanged."""
    target, path = tmp_path / "elsewhere", tmp_path / "kept.json"
    target.write_bytes(b"not mine")
    path.symlink_to(target)
    write_whole(path, b"mine")
    assert target.read_bytes() == b"not mine"
    assert path.read_bytes() == b"mine"
    assert not path.is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes are of POSIX systems")
def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    """If not everything can be written, nothing is."""
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")
    run = [sys.executable, "-c", FILL, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
