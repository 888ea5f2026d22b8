"""A bundle is built from what was locked, or the error says what has changed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import bundler
from bundler import BundlerError, LockError, SourceError
from bundler.disk.cache import Cache
from tests.sources.conftest import Server
from tests.support.places import MANIFESTS

MODELS = MANIFESTS / "models"
MANIFEST = """\
[bundle]
name = "pets"

[[model]]
name = "edges"
source = "models/edges"

[[model]]
name = "moments"
source = "models.zip#moments"

[[model]]
name = "digits"
source = "{digits}"
"""


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest, one model in a folder, one in an archive; the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(MODELS / "edges", folder / "models" / "edges")
    shutil.copytree(MODELS / "digits", folder / "models" / "digits")
    shutil.make_archive(str(folder / "models"), "zip", MODELS, "moments")
    (folder / "pets.toml").write_text(MANIFEST.format(digits="models/digits"))
    monkeypatch.chdir(folder)
    return folder


def sum_of(path: str) -> str:
    content = Path(path).read_bytes()
    return f"{len(content):,} bytes, sha256:{hashlib.sha256(content).hexdigest()}"


def build(**given: object) -> bundler.Report:
    return bundler.build("pets.toml", check=False, **given)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_lock_is_written_once_and_is_the_same_each_time(project: Path) -> None:
    first = bundler.lock("pets.toml")
    assert (first.path, first.up_to_date) == (Path("pets.lock"), False)
    before = (project / "pets.lock").stat()
    assert bundler.lock("pets.toml", jobs=3).up_to_date
    assert (project / "pets.lock").stat() == before
    assert bundler.lock("pets.toml", check=True).lock == first.lock
    assert json.loads(first.to_json())["files"]["edges"]["model.json"]["size"] == 4437


def test_a_lock_does_not_change_the_bytes(project: Path) -> None:
    bundler.lock("pets.toml")
    build(output="free")
    build(output="locked", locked=True)
    assert contents(project / "free") == contents(project / "locked")
    assert build(output="locked", locked=True).up_to_date


def test_one_lock_serves_every_version_and_output(project: Path) -> None:
    bundler.lock("pets.toml")
    text = (project / "pets.toml").read_text()
    (project / "pets.toml").write_text(text.replace('name = "pets"\n', 'name = "pets"\noutput = "o"\nversion = 3\n'))
    assert build(locked=True).output == Path("o", "3")
    assert build(locked=True, release_version=7).output == Path("o", "7")
    assert build(locked=True, release_version=7, output="there").output == Path("there", "7")
    assert contents(project / "o" / "3") == contents(project / "there" / "7")


def test_every_table_that_changes_the_bytes_survives_in_the_lock(project: Path) -> None:
    with (project / "pets.toml").open("a") as file:
        file.write('shapes = { image = [2, 64] }\nallow_ops = ["A"]\n[[check]]\nsignature = "edges"\nrtol = 1e-7\n')
        file.write("inputs = { image = { range = [-0.5, 1e20], shape = [1, 8, 8, 1] } }\n[serving]\nwarmup = true\n")
    bundler.lock("pets.toml")
    assert bundler.lock("pets.toml", check=True).up_to_date


def test_a_file_of_another_program_is_not_replaced_without_force(project: Path) -> None:
    (project / "pets.lock").write_text("[[package]]\n")
    with pytest.raises(LockError, match=r"^pets.lock: the file exists, and bundler did not write it$"):
        bundler.lock("pets.toml")
    assert (project / "pets.lock").read_text() == "[[package]]\n"
    assert not bundler.lock("pets.toml", force=True).up_to_date
    assert bundler.lock("pets.toml").up_to_date


def test_a_lock_with_the_marks_of_a_merge_is_an_error_until_it_is_written_anew(project: Path) -> None:
    bundler.lock("pets.toml")
    with (project / "pets.lock").open("a") as file:
        file.write("=======\n")
    with pytest.raises(LockError, match="is no lock that this version of bundler wrote"):
        build(locked=True)
    assert not bundler.lock("pets.toml").up_to_date
    build(locked=True)


# What a lock catches -------------------------------------------------------------------------------

SHARD = "group1-shard1of1.bin"


def _moments_elsewhere() -> None:
    shutil.copytree(MODELS / "moments", "other/moments")
    flip(Path("other/moments") / SHARD)
    shutil.make_archive("models", "zip", "other", "moments")


def _digits_in_one_shard() -> None:
    folder = Path("models/digits")
    document = json.loads((folder / "model.json").read_text())
    shards = document["weightsManifest"][0]["paths"]
    (folder / "all.bin").write_bytes(b"".join((folder / name).read_bytes() for name in shards))
    document["weightsManifest"][0]["paths"] = ["all.bin"]
    (folder / "model.json").write_text(json.dumps(document))
    for name in shards:
        (folder / name).unlink()


def _edit(old: str, new: str) -> Callable[[], object]:
    return lambda: Path("pets.toml").write_text(Path("pets.toml").read_text().replace(old, new))


CAUGHT: dict[str, tuple[Callable[[], object], Callable[[], list[str]]]] = {
    "a weight": (
        lambda: flip(Path("models/edges") / SHARD),
        lambda: [
            f"pets.toml:6: model 'edges': {SHARD}: the file is not the one in the lock"
            f" (found {sum_of(f'models/edges/{SHARD}')}, expected {sum_of(f'{MODELS}/edges/{SHARD}')})"
        ],
    ),
    "a weight in an archive": (
        _moments_elsewhere,
        lambda: [
            f"pets.toml:10: model 'moments': {SHARD}: the file is not the one in the lock"
            f" (found {sum_of(f'other/moments/{SHARD}')}, expected {sum_of(f'{MODELS}/moments/{SHARD}')})"
        ],
    ),
    "other shards": (
        _digits_in_one_shard,
        lambda: [
            "pets.toml:14: model 'digits': model.json: the file is not the one in the lock"
            f" (found {sum_of('models/digits/model.json')}, expected {sum_of(f'{MODELS}/digits/model.json')})",
            *(
                f"pets.toml:14: model 'digits': group1-shard{number}of2.bin: the model has no such file now"
                f" (expected {sum_of(f'{MODELS}/digits/group1-shard{number}of2.bin')})"
                for number in (1, 2)
            ),
        ],
    ),
    "a source that moved": (
        lambda: (shutil.move("models/edges", "edges"), _edit('"models/edges"', '"edges"')()),
        lambda: [
            'pets.toml:6: model \'edges\': source: the lock has another value (found "edges", expected "models/edges")'
        ],
    ),
    "a setting": (
        _edit('name = "pets"', 'name = "pets"\nweights = "variables"'),
        lambda: ['pets.toml:3: bundle.weights: the lock has another value (found "variables")'],
    ),
    "no lock": (lambda: Path("pets.lock").unlink(), lambda: ["pets.lock: there is no lock"]),
}


@pytest.mark.parametrize(("change", "faults"), CAUGHT.values(), ids=CAUGHT)
def test_a_build_and_a_check_of_the_lock_say_what_has_changed(
    project: Path, change: Callable[[], object], faults: Callable[[], list[str]]
) -> None:
    bundler.lock("pets.toml")
    before = build(locked=True).output
    assert before is not None
    kept = contents(before)
    change()
    with pytest.raises(LockError) as caught:
        build(locked=True, jobs=2)
    assert str(caught.value).splitlines() == faults()
    assert "`bundler lock" in caught.value.faults[-1].hint
    with pytest.raises(LockError) as caught:
        bundler.lock("pets.toml", check=True)
    assert set(faults()) <= set(str(caught.value).splitlines())
    assert contents(before) == kept
    bundler.lock("pets.toml")
    build(locked=True)


def test_a_changed_file_is_reported_even_if_it_is_no_model_any_more(project: Path) -> None:
    bundler.lock("pets.toml")
    (project / "models" / "edges" / "model.json").write_text("{")
    with pytest.raises(LockError, match=r"model 'edges': model.json: the file is not the one in the lock"):
        build(locked=True)


def test_what_changed_in_all_models_is_reported_together(project: Path) -> None:
    bundler.lock("pets.toml")
    for shard in sorted(project.rglob("*.bin")):
        flip(shard)
    with pytest.raises(LockError) as caught:
        build(locked=True)
    assert [fault.place.line for fault in caught.value.faults] == [6, 14, 14]


# Another machine -----------------------------------------------------------------------------------


@pytest.fixture
def fetching(project: Path, registry: Server) -> Path:
    """The same project, with the third model in an npm package."""
    (project / "pets.toml").write_text(MANIFEST.format(digits="npm:@tiny/digits@1.0.0/model"))
    return project


def test_another_machine_with_a_copy_of_the_cache_gives_the_same_bytes_offline(
    fetching: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundler.lock("pets.toml")
    first = contents(build(locked=True).output or Path())
    there = tmp_path / "another machine"
    shutil.copytree(fetching, there, ignore=shutil.ignore_patterns("dist"))
    shutil.copytree(tmp_path / "cache", there / "cache")
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.chdir(there)
    monkeypatch.setenv("BUNDLER_CACHE", str(there / "cache"))
    monkeypatch.setenv("PATH", "")
    report = bundler.build("pets.toml", locked=True, offline=True, check=False)
    assert contents(report.output or Path()) == first


def test_an_offline_build_takes_objects_by_their_digest(
    fetching: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundler.lock("pets.toml")
    shutil.rmtree(tmp_path / "cache" / "sources")
    monkeypatch.setenv("PATH", "")
    build(locked=True, offline=True)
    with pytest.raises(SourceError, match="is not in the cache, and this run is offline"):
        build(offline=True, force=True)


def test_an_offline_build_with_an_empty_cache_is_an_error_with_a_hint(
    fetching: Path, tmp_path: Path, registry: Server
) -> None:
    bundler.lock("pets.toml")
    shutil.rmtree(tmp_path / "cache")
    registry.asked.clear()
    with pytest.raises(SourceError) as caught:
        build(locked=True, offline=True)
    assert str(caught.value) == (
        "pets.toml:14: model 'digits': npm:@tiny/digits@1.0.0/model: is not in the cache, and this run is offline"
    )
    assert caught.value.faults[0].hint == ("run once without --offline, or set BUNDLER_CACHE to a cache that has it")
    assert registry.asked == []


def _shard_in_cache(cache: Path) -> Path:
    (found,) = cache.glob("objects/*/package/model/group1-shard2of2.bin")
    return found


def test_a_tampered_cache_is_noticed_offline_and_mended_online(fetching: Path, tmp_path: Path) -> None:
    bundler.lock("pets.toml")
    first = contents(build(locked=True).output or Path())
    flip(_shard_in_cache(tmp_path / "cache"))
    with pytest.raises(
        SourceError, match=r"files in the cache are not what was fetched \(found package/model/group1"
    ) as caught:
        build(locked=True, offline=True)
    assert caught.value.faults[0].hint == "a run without --offline fetches them again"
    assert contents(build(locked=True).output or Path()) == first


def test_a_damaged_copy_of_the_users_own_archive_is_mended_offline(project: Path, tmp_path: Path) -> None:
    first = contents(build(offline=True).output or Path())
    (shard,) = (tmp_path / "cache").glob("objects/*/moments/group1-shard1of1.bin")
    flip(shard)
    assert contents(build(offline=True).output or Path()) == first


def test_a_file_that_changes_after_it_was_compared_is_noticed_before_the_bundle_is_published(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundler.lock("pets.toml")
    monkeypatch.setattr("bundler.convert.locked.refuse_unlocked", lambda *_: flip(Path("models/edges") / SHARD))
    with pytest.raises(LockError, match="the files of a model changed while they were read"):
        build(locked=True)
    assert not (project / "dist").exists()


def test_a_forged_object_that_fits_the_cache_does_not_fit_the_lock(fetching: Path, tmp_path: Path) -> None:
    """Whoever can write the cache can forge an object with its index and record; the lock still has the sha256."""
    bundler.lock("pets.toml")
    cache = tmp_path / "cache"
    shard = _shard_in_cache(cache)
    forged = tmp_path / "forged"
    shutil.copytree(shard.parents[2], forged)
    flip(forged / shard.relative_to(shard.parents[2]))
    shutil.rmtree(cache / "objects")
    shutil.rmtree(cache / "sources")
    Cache(cache).get("npm:@tiny/digits@1.0.0", lambda folder: shutil.copytree(forged, folder, dirs_exist_ok=True))
    with pytest.raises(LockError, match=r"group1-shard2of2.bin: the file is not the one in the lock"):
        build(locked=True, offline=True)
    build(locked=True, refresh=True)


def test_a_package_that_was_published_again_is_caught_when_it_is_asked_for(
    fetching: Path, registry: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundler.lock("pets.toml")
    _publish_again(registry, tmp_path)
    build(locked=True)  # from the cache: what was locked
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm of another machine"))
    with pytest.raises(LockError) as caught:
        bundler.lock("pets.toml", check=True, refresh=True)
    texts = [fault.what for fault in caught.value.faults]
    assert texts == ["the file is not the one in the lock", "what is fetched is not what the lock has"]
    assert caught.value.faults[1].where == "npm:@tiny/digits@1.0.0"
    assert caught.value.faults[1].expected.startswith("sha512-")
    build(locked=True)  # the object that was locked is still there, by its digest


def _publish_again(registry: Server, tmp_path: Path) -> None:
    """The same version of the package, with another weight."""
    flip(tmp_path / "package" / "model" / "group1-shard2of2.bin")
    tarball = registry.folder / "digits-1.0.0.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(tmp_path / "package", "package")
    listed = registry.folder / "@tiny" / "digits"
    document = json.loads(listed.read_text())
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    document["versions"]["1.0.0"]["dist"]["integrity"] = integrity
    listed.write_text(json.dumps(document))
    os.utime(listed, (listed.stat().st_mtime + 5,) * 2)


def test_a_fetch_from_before_integrities_were_kept_is_locked_without_one(fetching: Path, tmp_path: Path) -> None:
    with_one = bundler.lock("pets.toml").lock
    for record in (tmp_path / "cache" / "sources").glob("*.json"):
        document = json.loads(record.read_text())
        document.pop("facts", None)
        record.write_text(json.dumps(document))
    assert bundler.lock("pets.toml", offline=True).lock.fetched["npm:@tiny/digits@1.0.0"].integrity == ""
    assert bundler.lock("pets.toml", refresh=True).lock == with_one


def test_faults_of_sources_are_collected_over_all_models(project: Path) -> None:
    text = (project / "pets.toml").read_text()
    (project / "pets.toml").write_text(text.replace("models/edges", "gone").replace("#moments", "#gone"))
    with pytest.raises(BundlerError) as caught:
        bundler.lock("pets.toml")
    assert [fault.place.line for fault in caught.value.faults] == [6, 10]
    assert not (project / "pets.lock").exists()
