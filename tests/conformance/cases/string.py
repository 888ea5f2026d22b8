"""Cases of string.json: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import Case, Const, Differs, case

__all__ = ["CASES"]

TEXT = np.array([b"the quick brown fox", b"", b"a  b", b"x"], object)
LOWER = Differs("string attributes are lower-cased")


def replaced() -> Iterator[Case]:
    for name, pattern, rewrite in (
        ("letters", "[aeiou]", "_"),
        ("words", r"\w+", "w"),
        ("anchored", "^a", "b"),
        ("nothing", "z+", "q"),
        ("deleted", " ", ""),
    ):
        for everywhere in (True, False):
            often = "everywhere" if everywhere else "once"
            attrs = {"pattern": pattern, "rewrite": rewrite, "replace_global": everywhere}
            yield case("StaticRegexReplace", f"{name} {often}", TEXT, **attrs)
    yield case("StaticRegexReplace", "matrix", TEXT.reshape(2, 2), pattern="o", rewrite="0")
    yield case(
        "StaticRegexReplace", "group", TEXT, pattern="(q)(u)", rewrite=r"\2\1", javascript=Differs("`\\1` is no group")
    )
    yield case(
        "StaticRegexReplace", "dollar", TEXT, pattern="x", rewrite="$&$&", javascript=Differs("`$&` is the match")
    )
    yield case("StaticRegexReplace", "capitals", TEXT, pattern="x", rewrite="X", javascript=LOWER)


GRAMS = {"separator": "|", "ngram_widths": [2], "left_pad": "l", "right_pad": "r", "pad_width": 0}


def grams() -> Iterator[Case]:
    words = np.array([b"a", b"b", b"c", b"d", b"e", b"f"], object)
    splits = [0, 4, 6]
    for name, changed in (
        ("pairs", {}),
        ("triples", {"ngram_widths": [3]}),
        ("both", {"ngram_widths": [2, 3]}),
        ("padded", {"pad_width": -1}),
        ("padded once", {"pad_width": 1, "ngram_widths": [3]}),
        ("words", {"ngram_widths": [1]}),
        ("no separator", {"separator": ""}),
        ("too long", {"ngram_widths": [5]}),
        ("too long but kept", {"ngram_widths": [5], "preserve_short_sequences": True}),
    ):
        attrs = {**GRAMS, "preserve_short_sequences": False, **changed}
        yield case("StringNGrams", name, words, splits, **attrs)
    attrs = {**GRAMS, "preserve_short_sequences": False}
    yield case("StringNGrams", "int64 splits", words, np.array(splits, np.int64), **attrs)
    padded = {**attrs, "left_pad": "LP", "pad_width": -1}
    yield case("StringNGrams", "capitals", words, splits, **padded, javascript=LOWER)


def split() -> Iterator[Case]:
    for name, delimiter in (("a space", " "), ("a letter", "o"), ("nothing", ""), ("either", "qo"), ("absent", "z")):
        for skip in (True, False):
            kept = "without" if skip else "with"
            yield case("StringSplit", f"at {name} {kept} empty ones", TEXT, Const(delimiter), skip_empty=skip)
    yield case("StringSplit", "fed", TEXT, " ", skip_empty=True)


def hashed() -> Iterator[Case]:
    for buckets in (1, 10, 1000):
        yield case("StringToHashBucketFast", f"{buckets} buckets", TEXT, num_buckets=buckets)
    yield case("StringToHashBucketFast", "matrix", TEXT.reshape(2, 2), num_buckets=7)
    yield case(
        "StringToHashBucketFast", "bytes", np.array([b"\xff\x00", b"\xc3\xa4" * 40], object), num_buckets=1 << 20
    )


CASES = [*replaced(), *grams(), *split(), *hashed()]
