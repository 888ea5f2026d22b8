"""The rows of a report: in their order, and by name."""

from __future__ import annotations

from typing import Any, Generic, Protocol, SupportsIndex, TypeVar, get_args, overload

__all__ = ["Entries"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Entry = TypeVar("_Entry", bound=_Named)


class Entries(tuple[_Entry, ...], Generic[_Entry]):
    """A tuple whose entries are found by position or by name: `signatures[0]`, `signatures["serving_default"]`.

    A name that no entry has, or more than one, raises KeyError.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> _Entry: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[_Entry, ...]: ...

    def __getitem__(self, key: SupportsIndex | slice | str) -> _Entry | tuple[_Entry, ...]:
        if not isinstance(key, str):
            return super().__getitem__(key)
        found = [entry for entry in self if entry.name == key]
        if not found:
            raise KeyError(f"no entry is named {key!r}: the names are {', '.join(self.names)}")
        if len(found) > 1:
            raise KeyError(f"{len(found)} entries are named {key!r}: take one by its position")
        return found[0]

    def __contains__(self, entry: object) -> bool:
        return entry in self.names if isinstance(entry, str) else super().__contains__(entry)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(entry.name for entry in self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Pydantic's hook: how `record` reads entries from JSON."""
        from pydantic_core import core_schema

        (entry,) = get_args(source)
        return core_schema.no_info_after_validator_function(cls, core_schema.list_schema(handler(entry)))
