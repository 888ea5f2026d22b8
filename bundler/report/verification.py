"""What a comparison of a bundle with a reference found: plain data, and its JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bundler.errors import Fault, VerificationError
from bundler.report import Check, plain
from bundler.report.entries import Entries

__all__ = ["OutputVerdict", "SignatureVerdict", "Verification", "Verified", "spelled"]

Verdict: TypeAlias = Literal["ok", "wrong", "unchecked"]
"""`unchecked`: the comparison says neither; the reason is in `why`."""
Value: TypeAlias = float | str
"""An element of a tensor: numbers as floats, all others as text."""


@dataclass(frozen=True)
class OutputVerdict:
    """An output, compared with what the reference gives.

    `absolute` is the largest difference, `error` the same as a part of the largest absolute value that the reference
    gives; `at` is its place, `found` and `expected` are the two values there. They are None if the output could not be
    compared element by element; then `why` says what differs. `error` is infinite for values that are not numbers.
    """

    name: str
    verdict: Verdict
    why: str = ""
    absolute: float | None = None
    error: float | None = None
    at: tuple[int, ...] | None = None
    found: Value | None = None
    expected: Value | None = None


@dataclass(frozen=True)
class SignatureVerdict:
    """A signature, called with some inputs on one `road` into TensorFlow: the session, or `tf.saved_model.load`.

    `reference` is what it was compared with, `inputs` where the values came from, in words. `steps` has what each step
    of a composed signature gives, compared with what the reference makes of the same values.
    """

    key: str
    model: str
    road: str
    reference: str
    inputs: str
    verdict: Verdict
    why: str = ""
    outputs: Entries[OutputVerdict] = field(default_factory=Entries)
    seconds: float = 0.0
    steps: Entries[OutputVerdict] = field(default_factory=Entries)

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def error(self) -> float | None:
        """The largest error of the outputs that are right or wrong; None if there are none."""
        return max((output.error for output in self.judged if output.error is not None), default=None)

    @property
    def judged(self) -> tuple[OutputVerdict, ...]:
        """The outputs that are right or wrong."""
        return tuple(output for output in self.outputs if output.verdict != "unchecked")


@dataclass(frozen=True)
class Verification:
    """The verdicts on the signatures of a bundle, in its order."""

    bundle: Path
    reference: str
    signatures: Entries[SignatureVerdict]
    recorded: tuple[Path, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether no signature is wrong, and at least one was found right, or recorded."""
        return not any(self.faults)

    @property
    def faults(self) -> Iterator[Fault]:
        """What is wrong, for an error."""
        for signature in self.signatures:
            place = f"signature {signature.key!r}" + (f" of model {signature.model!r}" if signature.model else "")
            if signature.verdict == "wrong":
                yield from (fault.inside(place) for fault in _faults(signature))
        if not self.recorded and all(signature.verdict == "unchecked" for signature in self.signatures):
            reasons = dict.fromkeys(signature.why for signature in self.signatures)
            yield Fault("no signature could be compared", found="; ".join(list(reasons)[:3]))

    def raise_if_wrong(self) -> None:
        """Raise VerificationError with all `faults`, if there are any."""
        faults = list(self.faults)
        if faults:
            raise VerificationError.of(faults)

    def to_json(self) -> str:
        """One JSON document in ASCII: keys in the order of the fields."""
        return json.dumps({"ok": self.ok, **_table(self)}, indent=2)


class Verified(Check):
    """The check `verify` of a build, and what it found. In JSON it is a check like others."""

    def __init__(self, verification: Verification) -> None:
        right = sum(each.verdict == "ok" for each in verification.signatures)
        said = f"{right} of {len(verification.signatures)} calls are right ({verification.reference})"
        super().__init__("verify", f"{said}, in {verification.seconds:.2f} s")
        self.verification = verification


def _table(verification: Verification) -> dict[str, object]:
    found = plain(verification)
    assert isinstance(found, dict)
    return found


def _faults(signature: SignatureVerdict) -> Iterator[Fault]:
    wrong = [
        *((step.name, step) for step in signature.steps if step.verdict == "wrong"),
        *((f"output {output.name!r}", output) for output in signature.outputs if output.verdict == "wrong"),
    ]
    if not wrong:
        yield Fault(signature.why, expected=f"what {signature.reference} gives")
    yield from (_fault(where, output, signature.reference) for where, output in wrong)


def _fault(where: str, output: OutputVerdict, reference: str) -> Fault:
    if output.at is None:
        return Fault(output.why, where, expected=f"what {reference} gives")
    at = ", ".join(map(str, output.at))
    what = f"differs from {reference} by {_part(output.error)} at [{at}]"
    return Fault(what, where, found=spelled(output.found), expected=spelled(output.expected))


def _part(error: float | None) -> str:
    return f"{error:.2g} of its largest value" if error is not None and error < float("inf") else "more than any number"


def spelled(value: Value | None) -> str:
    """A value as a person reads it."""
    return f"{value:.7g}" if isinstance(value, float) else str(value)
