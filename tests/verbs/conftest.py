"""What the tests of verbs share with those of sources: a web server and an npm registry on this machine."""

from __future__ import annotations

from tests.sources.conftest import registry, server

__all__ = ["registry", "server"]
