from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bundler.disk import publish, scratch
from bundler.disk.publish import RECORD, publishing, publishing_file, replaceable, sweep_beside
from bundler.errors import BundlerError


def bundle(folder: Path, content: str) -> Path:
    """A folder that passes for a bundle."""
    (folder / RECORD).parent.mkdir(parents=True)
    (folder / RECORD).write_text("{}")
    (folder / "saved_model.pb").write_text(content)
    return folder


def content(folder: Path) -> str:
    return (folder / "saved_model.pb").read_text()


def build(output: Path, text: str, *, force: bool = False) -> None:
    with publishing(output, force=force) as fresh:
        bundle(fresh, text)


def build_and_then(output: Path, act: Callable[[], object]) -> None:
    """A build during which something else happens."""
    with publishing(output) as fresh:
        bundle(fresh, "new")
        act()


@pytest.fixture(params=["at once", "in turn"])
def _either_exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With renameat2, and as on a system that lacks it."""

    def lacking(one: Path, other: Path) -> None:
        raise NotImplementedError

    if request.param == "in turn":
        monkeypatch.setattr(publish, "_exchange_at_once", lacking)


either_exchange = pytest.mark.usefixtures("_either_exchange")


def test_the_output_appears_at_the_end_and_with_it_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "a" / "b" / "1"
    with publishing(output) as fresh:
        assert fresh.parent == output.parent
        assert fresh.name.startswith(".")
        assert not output.exists()
        bundle(fresh, "new")
    assert content(output) == "new"
    assert list(output.parent.iterdir()) == [output]


@either_exchange
def test_a_bundle_is_replaced_by_the_next(tmp_path: Path) -> None:
    build(tmp_path / "out", "old")
    (tmp_path / "out" / "left over").touch()
    with publishing(tmp_path / "out") as fresh:
        bundle(fresh, "new")
        assert content(tmp_path / "out") == "old"
    assert content(tmp_path / "out") == "new"
    assert not (tmp_path / "out" / "left over").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def fail(error: type[BaseException]) -> None:
    raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_build_that_fails_leaves_everything_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    build(tmp_path / "out", "old")
    for output in (tmp_path / "out", tmp_path / "new" / "deep" / "out"):
        with pytest.raises(error):
            build_and_then(output, partial(fail, error))
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert content(tmp_path / "out") == "old"


def test_a_parent_that_others_use_meanwhile_is_kept(tmp_path: Path) -> None:
    def interfere() -> None:
        (tmp_path / "made" / "theirs").touch()
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        build_and_then(tmp_path / "made" / "out", interfere)
    assert list((tmp_path / "made").iterdir()) == [tmp_path / "made" / "theirs"]


def test_two_renames_that_fail_half_way_roll_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / "out", "old")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == tmp_path / "out" and content(self) == "new":
            raise PermissionError(13, "no")
        return rename(self, target)

    monkeypatch.setattr(publish, "_exchange_at_once", publish._exchange_in_turn)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(BundlerError, match=r"out: cannot be written \(found no\)$"):
        build(tmp_path / "out", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert content(tmp_path / "out") == "old"


def test_the_exchange_at_once_is_there_on_linux(tmp_path: Path) -> None:
    one, other = bundle(tmp_path / "one", "1"), bundle(tmp_path / "other", "2")
    publish._exchange_at_once(one, other)
    assert (content(one), content(other)) == ("2", "1")


def test_a_watcher_never_sees_the_output_missing(tmp_path: Path) -> None:
    output, done, seen = tmp_path / "out", threading.Event(), set()

    def watch() -> None:
        while not done.is_set():
            seen.add(output.exists())

    build(output, "0")
    watcher = threading.Thread(target=watch)
    watcher.start()
    for count in range(1, 50):
        build(output, str(count))
    done.set()
    watcher.join()
    assert content(output) == "49"
    assert seen == {True}


def build_side_by_side(output: Path, builders: int) -> list[BaseException]:
    """Several threads that build one output over and over; the errors they met."""
    start, failed = threading.Barrier(builders), []

    def build_many(name: str) -> None:
        start.wait()
        try:
            for _ in range(5):
                build(output, name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=build_many, args=(str(name),)) for name in range(builders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def test_of_builds_at_the_same_time_one_stays_whole(tmp_path: Path) -> None:
    assert build_side_by_side(tmp_path / "parent" / "out", 8) == []
    assert content(tmp_path / "parent" / "out") in "01234567"
    assert list((tmp_path / "parent").iterdir()) == [tmp_path / "parent" / "out"]


def test_where_exchanges_take_two_renames_builds_at_the_same_time_still_leave_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_exchange_at_once", publish._exchange_in_turn)
    build_side_by_side(tmp_path / "parent" / "out", 2)
    assert content(tmp_path / "parent" / "out") in "01"


def not_ours(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").touch()


OTHERS: dict[str, Callable[[Path], object]] = {"a folder of the user's": not_ours, "a file": Path.touch}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS.keys())
def test_what_bundler_did_not_write_is_replaced_by_force_alone(tmp_path: Path, make: Callable[[Path], object]) -> None:
    output = tmp_path / "out"
    make(output)
    with pytest.raises(BundlerError, match="did not write") as caught:
        build(output, "new")
    assert "--force" in caught.value.faults[0].hint
    assert list(tmp_path.iterdir()) == [output]
    build(output, "new", force=True)
    assert content(output) == "new"
    assert list(tmp_path.iterdir()) == [output]


def test_what_someone_puts_there_during_the_build_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(BundlerError, match="did not write"):
        build_and_then(tmp_path / "out", partial(not_ours, tmp_path / "out"))
    assert (tmp_path / "out" / "thesis.txt").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: bundle(path, "old"), lambda path: None])
def test_an_empty_folder_and_a_bundle_are_ours_to_replace(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "out")
    replaceable(tmp_path / "out", force=False)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("target", ["/", "home", "home/..", "work", ".", "..", "link to home"])
def test_home_root_and_the_current_folder_are_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, force: bool
) -> None:
    for name in ("home", "work", "work/inside"):
        (tmp_path / name).mkdir()
    (tmp_path / "link to home").symlink_to("home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work" / "inside")
    output = Path(target) if target.startswith(".") else tmp_path / target
    with pytest.raises(BundlerError, match="never replaced"):
        replaceable(output, force=force)


def test_a_file_in_place_of_a_parent_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dist").touch()
    with pytest.raises(BundlerError, match="the output's folder cannot be written"):
        build(tmp_path / "dist" / "out", "new")


def test_a_link_at_the_output_is_kept_and_what_it_points_to_replaced(tmp_path: Path) -> None:
    bundle(tmp_path / "real", "old")
    (tmp_path / "out").symlink_to("real")
    build(tmp_path / "out", "new")
    assert (tmp_path / "out").is_symlink()
    assert content(tmp_path / "real") == "new"


def test_the_output_has_the_permissions_of_any_new_folder(tmp_path: Path) -> None:
    build(tmp_path / "out", "new")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_left_overs_of_killed_builds_of_this_output_are_removed_by_the_next(tmp_path: Path) -> None:
    kept = [".out.b.01234567.part", ".out.0123.old.part", ".outer", "out.01234567.part", ".out.0123456.part"]
    for name in [*kept, ".out.89abcdef.part", ".out.01234567.part"]:
        (tmp_path / name).mkdir()
    build(tmp_path / "out", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "out"])


def test_the_folder_of_a_build_that_goes_on_is_no_left_over(tmp_path: Path) -> None:
    with publishing(tmp_path / "out") as slow:
        bundle(slow, "slow")
        build(tmp_path / "out", "quick")
        assert content(slow) == "slow"
    assert content(tmp_path / "out") == "slow"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_on_a_filesystem_without_locks_left_overs_are_removed_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    old, young = tmp_path / ".out.01234567.part", tmp_path / ".out.89abcdef.part"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    build(tmp_path / "out", "new")
    assert sorted(tmp_path.iterdir()) == [young, tmp_path / "out"]


def test_a_link_with_the_name_of_a_left_over_is_not_followed(tmp_path: Path) -> None:
    not_ours(tmp_path / "theirs")
    (tmp_path / ".out.01234567.part").symlink_to("theirs")
    build(tmp_path / "out", "new")
    assert (tmp_path / "theirs" / "thesis.txt").exists()


def test_a_kill_between_two_renames_loses_no_bundle(tmp_path: Path) -> None:
    bundle(tmp_path / ".out.01234567.old.part", "old")
    sweep_beside(tmp_path / "out")
    assert content(tmp_path / "out") == "old"
    bundle(tmp_path / ".out.01234567.old.part", "older")
    sweep_beside(tmp_path / "out")
    assert content(tmp_path / "out") == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


# Inputs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.toml", "model/model.json", "model/deep/weights.bin", "linked"])
@pytest.mark.parametrize("force", [False, True])
def test_an_output_that_holds_an_input_is_never_replaced(tmp_path: Path, name: str, force: bool) -> None:
    held = bundle(tmp_path / "out", "old") / name
    held.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elsewhere").touch()
    held.symlink_to(tmp_path / "elsewhere") if name == "linked" else held.touch()
    with pytest.raises(BundlerError, match=f"would replace one of its own inputs .found .*{name}"):
        replaceable(tmp_path / "out", force=force, inputs=[held])


def test_an_output_beside_or_below_an_input_is_free(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    replaceable(tmp_path / "model" / "out", force=False, inputs=[tmp_path / "model", tmp_path / "m.toml"])


def test_a_file_that_is_an_input_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "model.json").touch()
    with (
        pytest.raises(BundlerError, match="would replace one of its own inputs"),
        publishing_file(tmp_path / "model.json", inputs=[tmp_path / "model.json"]),
    ):
        pass


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "graph.pb")
    with pytest.raises(BundlerError, match="expected the name of a file"), publishing_file(tmp_path / "graph.pb"):
        pass


def test_files_and_folders_reach_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append((Path(path).name, (tmp_path / "out").exists()))
        fsync(descriptor)

    monkeypatch.setattr(scratch.os, "fsync", noting)
    with publishing(tmp_path / "out") as fresh:
        bundle(fresh, "new")
    before = {name for name, published in synced if not published}
    assert before == {"bundle.json", "saved_model.pb", "assets.extra", fresh.name}
    assert synced[-1] == (tmp_path.name, True)


def test_a_bundle_is_not_written_into_another(tmp_path: Path) -> None:
    """The next build of the outer one would remove it: a version folder beside an unversioned bundle."""
    outer = bundle(tmp_path / "out", "outer")
    with pytest.raises(BundlerError, match=f"^{outer}/7: the output lies in another bundle, whose next build would"):
        build(outer / "7", "inner")
    assert not (outer / "7").exists()
    build(outer / "7", "inner", force=True)
    assert content(outer / "7") == "inner"
