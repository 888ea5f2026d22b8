"""The web server and the npm registry of the tests of sources."""

from tests.sources.conftest import registry, server

__all__ = ["registry", "server"]
