"""Text of strangers as a reader can trust it."""

from __future__ import annotations

__all__ = ["visible"]

_MOST = 400
"""Characters of a text that the page shows."""


def visible(value: object) -> object:
    r"""A text whose characters all show: control characters and marks that turn text around become `\u202e`.

    A text of more than 400 characters is cut. Markup, and values that are no text, stay what they are.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    cut = value if len(value) <= _MOST else f"{value[:_MOST]}… ({len(value):,} characters)"
    return cut if cut.isprintable() else "".join(map(_visible, cut))


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()
