"""Files of strangers: whatever is wrong with one is an error of its source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bundler.disk import files
from bundler.errors import SourceError

__all__ = ["explained"]


@contextmanager
def explained(path: Path, what: str) -> Iterator[None]:
    """Raise SourceError, which says that a file is not `what`, for any exception of the block but a lack of memory."""
    try:
        yield
    except (SourceError, MemoryError):
        raise
    except OSError as error:
        raise SourceError("cannot be read", where=str(error.filename or path), found=files.reason(error)) from error
    except Exception as error:
        # Each implementation of protobuf has a DecodeError of its own.
        raise SourceError(f"this is not {what}", where=str(path), found=str(error)) from error
