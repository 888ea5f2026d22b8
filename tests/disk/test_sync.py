from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.disk.sync import reserve


def refusing(number: int) -> Callable[[int, int, int], None]:
    def posix_fallocate(descriptor: int, offset: int, size: int) -> None:
        raise OSError(number, os.strerror(number))

    return posix_fallocate


@pytest.mark.parametrize("size", [0, 10_000])
@pytest.mark.parametrize("system", ["as it is", "without the call", "that reserves nothing"])
def test_a_file_to_be_written_has_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, system: str
) -> None:
    if system == "without the call":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    if system == "that reserves nothing":
        monkeypatch.setattr(os, "posix_fallocate", refusing(errno.EOPNOTSUPP), raising=False)
    reserve(tmp_path / "file", size)
    assert (tmp_path / "file").read_bytes() == b"\0" * size


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", refusing(errno.ENOSPC), raising=False)
    with pytest.raises(OSError, match="No space left"):
        reserve(tmp_path / "file", 10)
