"""How much one source may hold. How long its server may take is in `web.pace`."""

from __future__ import annotations

__all__ = ["MAX_BYTES", "MAX_FILES", "MAX_SHARDS"]

MAX_BYTES = 8 << 30
"""Bytes of an archive, bytes that it may unpack to, and bytes of the shards of a model."""
MAX_FILES = 20_000
"""Files, folders and links in one archive."""
MAX_SHARDS = 4096
"""Shards of a model: 16 GiB, if they have the converter's size of 4 MiB."""
