"""`models.config`, as a person reads it and as TensorFlow Serving's own messages do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bundler.cli import main
from bundler.serving.config import Served, models_config

ODD = Served('a"b\\c\nd é', "/models/\udcff", (1, 1 << 40), {"stable": 1, 'new"': 1 << 40})


def write(folder: Path, name: str, head: str, file: str = "") -> Path:
    path = folder / (file or f"{name}.toml")
    path.write_text(f'[bundle]\nname = "{name}"\n{head}\n[[model]]\nname = "m"\nsource = "m"\n')
    return path


def serving(*words: object) -> Result:
    return CliRunner().invoke(main, ["serving", *map(str, words)])


def test_each_bundle_is_a_model_in_the_folder_of_its_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pets, cars = write(tmp_path, "pets", "version = 3"), write(tmp_path, "cars", 'version = 1\noutput = "out/fast"')
    assert (
        serving(pets, cars).stdout.replace(str(tmp_path), "/here")
        == """\
model_config_list {
  config {
    name: "pets"
    base_path: "/here/dist/pets"
    model_platform: "tensorflow"
  }
  config {
    name: "cars"
    base_path: "/here/out/fast"
    model_platform: "tensorflow"
  }
}
"""
    )


def test_labels_name_the_versions_that_the_server_loads(tmp_path: Path) -> None:
    done = serving(
        write(tmp_path, "pets", ""),
        "--release-version",
        8,
        "--label",
        "stable=7",
        "--label",
        "canary=8",
        "--base",
        "/m",
    )
    assert (
        done.stdout
        == """\
model_config_list {
  config {
    name: "pets"
    base_path: "/m/pets"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 7 versions: 8 } }
    version_labels { key: "stable" value: 7 }
    version_labels { key: "canary" value: 8 }
  }
}
"""
    )


def test_the_folder_of_the_server_has_the_name_of_the_output(tmp_path: Path) -> None:
    manifest = write(tmp_path, "cars", 'version = 1\noutput = "out/fast"')
    assert 'base_path: "/models/fast"' in serving(manifest, "--base", "/models").stdout


@pytest.mark.parametrize(
    "label", ["stable", "=3", "a=", "a=0", "a=-1", "a=x", f"a={1 << 63}", "a=²", "a=" + "9" * 5000]
)
def test_a_label_needs_a_version(label: str, tmp_path: Path) -> None:
    done = serving(write(tmp_path, "pets", "version = 1"), "--label", label)
    assert done.exit_code == 2
    assert "is not NAME=VERSION" in re.sub(r"\s+", " ", done.stderr)


def test_what_cannot_be_served_is_an_error_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "pets", "")
    write(tmp_path, "cars", "version = 1", "a.toml")
    write(tmp_path, "cars", "version = 1", "b.toml")
    done = serving("pets.toml", "a.toml", "b.toml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: pets.toml:1: bundle: TensorFlow Serving watches folders of versions, and this bundle has no version\n"
        "hint: set `version = 1` in [bundle], or give --release-version\n"
        "error: b.toml:2: bundle.name: two bundles have this name (found 'cars' in a.toml)\n"
    )


def test_text_is_escaped_to_ascii() -> None:
    assert models_config([ODD]).isascii()
    assert r'name: "a\"b\\c\012d \303\251"' in models_config([ODD])
    assert r'base_path: "/models/\377"' in models_config([ODD])


@pytest.mark.slow
def test_servings_messages_read_the_text() -> None:
    pytest.importorskip("tensorflow_serving")
    import tensorflow  # noqa: F401 - its messages are needed first
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    even = Served("pets é", "/models/pets", (7, 8), {"stable": 7})
    read: Any = text_format.Parse(models_config([even, Served("b", "/b")]), model_server_config_pb2.ModelServerConfig())
    first, second = read.model_config_list.config
    assert (first.name, first.base_path, first.model_platform) == ("pets é", "/models/pets", "tensorflow")
    assert list(first.model_version_policy.specific.versions) == [7, 8]
    assert dict(first.version_labels) == {"stable": 7}
    assert not second.HasField("model_version_policy")
