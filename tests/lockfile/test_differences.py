"""Each kind of change of a manifest, and what a stale lock says about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler import __version__, lockfile, manifest
from bundler.lockfile import File, Lock

BEFORE: Mapping[str, Any] = {
    "bundle": {"name": "pets"},
    "model": [
        {"name": "cat", "source": "cat", "signature": [{"key": "cat_1", "rename": {"x": "image"}}, {"key": "cat_2"}]},
        {"name": "dog", "source": "dog"},
    ],
    "signature": [
        {"key": "both", "inputs": {"x": "float32[1]"}, "outputs": ["y"], "steps": [{"op": "div", "by": 2, "as": "y"}]}
    ],
}
PATH = Path("pets.lock")


def locked(document: Mapping[str, Any], folder: Path = Path()) -> Lock:
    spec = manifest.of(document, folder / "pets.toml")
    settings = {"digest": spec.digest, **spec.settings}
    files = {model.name: {"model.json": {"size": 1, "sha256": "0" * 64}} for model in spec.models}
    return Lock.model_validate({"bundler": __version__, "manifest": settings, "files": files})


def said(document: Mapping[str, Any], lock: Lock, folder: Path = Path()) -> list[str]:
    return [str(fault) for fault in lockfile.setting_faults(manifest.of(document, folder / "pets.toml"), lock, PATH)]


CHANGES: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "nothing": (lambda _: None, []),
    "the output and the version": (lambda now: now["bundle"].update(output="there", version=3), []),
    "a default that is spelled out": (lambda now: now["bundle"].update(weights="auto"), []),
    "a setting": (
        lambda now: now["bundle"].update(weights="variables"),
        ['bundle.weights: the lock has another value (found "variables")'],
    ),
    "a setting of a model": (
        lambda now: now["model"][1].update(compat="tflite"),
        ['model[1].compat: the lock has another value (found "tflite")'],
    ),
    "a source": (
        lambda now: now["model"][1].update(source="wolf"),
        ['model[1].source: the lock has another value (found "wolf", expected "dog")'],
    ),
    "a rename": (
        lambda now: now["model"][0]["signature"][0]["rename"].update(x="picture"),
        ['model[0].signature[0].rename.x: the lock has another value (found "picture", expected "image")'],
    ),
    "a key that is gone": (
        lambda now: now["model"][0]["signature"][0].pop("rename"),
        ['model[0].signature[0].rename: the lock has another value (expected {"x": "image"})'],
    ),
    "a signature that is gone": (
        lambda now: now["model"][0]["signature"].pop(),
        ["model[0].signature: 'cat_2' is in the lock, but not in the manifest"],
    ),
    "a model before the others": (
        lambda now: now["model"].insert(0, {"name": "ant", "source": "ant"}),
        ["model[0]: is not in the lock"],
    ),
    "a step of a composed signature": (
        lambda now: now["signature"][0]["steps"][0].update(by=3),
        ["signature[0].steps[0].by: the lock has another value (found [3.0], expected [2.0])"],
    ),
    "the order of models": (
        lambda now: now["model"].reverse(),
        ['model: the lock has another order (found "dog, cat", expected "cat, dog")'],
    ),
}


@pytest.mark.parametrize(("change", "faults"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_manifest_is_a_fault_at_its_place(change: Callable[[Any], object], faults: list[str]) -> None:
    now: Any = deepcopy(BEFORE)
    change(now)
    assert said(now, locked(BEFORE)) == faults


def test_a_lock_of_another_version_is_stale() -> None:
    lock = locked(BEFORE).model_copy(update={"bundler": "0.0.1"})
    expected = f"pets.lock: another version of bundler wrote the lock (found 0.0.1, expected {__version__})"
    assert said(BEFORE, lock) == [expected]


def test_a_setting_that_the_tables_do_not_show_is_noticed_by_the_digest() -> None:
    lock = locked(BEFORE)
    edited = lock.manifest.model_copy(update={"digest": "1" * 64})
    (fault,) = said(BEFORE, lock.model_copy(update={"manifest": edited}))
    assert fault.startswith("pets.lock: the lock is for other settings of the manifest (found 1111")


def test_a_model_whose_files_were_edited_out_is_a_fault() -> None:
    lock = locked(BEFORE)
    edited = lock.model_copy(update={"files": {"dog": lock.files["dog"]}})
    assert said(BEFORE, edited) == ["pets.lock: the lock has no files of this model"]


def test_the_inputs_of_checks_count_if_the_bundle_has_a_warm_up_of_them(tmp_path: Path) -> None:
    checks = {**BEFORE, "check": [{"signature": "cat_1", "file": "a.npz", "rtol": 0.1}]}
    warm = {**checks, "serving": {"warmup": True}}
    np.savez(tmp_path / "a.npz", **{"inputs/x": np.zeros(1), "outputs/y": np.zeros(1)})
    before, plain = locked(warm, tmp_path), locked(checks, tmp_path)
    np.savez(tmp_path / "a.npz", **{"inputs/x": np.zeros(1), "outputs/y": np.ones(1)})
    warm["check"][0]["rtol"] = 0.2
    assert said(warm, before, tmp_path) == []
    np.savez(tmp_path / "a.npz", **{"inputs/x": np.ones(1), "outputs/y": np.ones(1)})
    assert said(checks, plain, tmp_path) == []
    (fault,) = said(warm, before, tmp_path)
    assert fault.startswith("check[0].found_inputs: the lock has another value (found \"[('inputs/x.npy', ")


def test_each_file_that_differs_is_a_fault() -> None:
    one, two = (File(size=size, sha256=str(size) * 64) for size in (1, 2))
    now, before = {"a": one, "b": one, "c": one}, {"a": one, "b": two, "d": two}
    ones, twos = "1 bytes, sha256:" + "1" * 64, "2 bytes, sha256:" + "2" * 64
    assert [str(fault) for fault in lockfile.file_faults(now, before)] == [
        f"b: the file is not the one in the lock (found {ones}, expected {twos})",
        f"c: the file is not in the lock (found {ones})",
        f"d: the model has no such file now (expected {twos})",
    ]
