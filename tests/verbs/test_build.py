"""`bundler build` from outside: what it prints, leaves behind, and gives for an exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.outputs.savedmodel import FILE
from tests.support.models import placeholder, write_model
from tests.support.places import MANIFESTS

MANIFEST = """
[bundle]
name = "broken"
output = "out"

[[model]]
name = "digits"
source = "digits"

[[model.signature]]
key = "digits"
"""


def bundler(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bundler", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a manifest and the model that it names."""
    shutil.copytree(MANIFESTS / "models" / "digits", tmp_path / "digits")
    (tmp_path / "bundle.toml").write_text(MANIFEST)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


# Bad input ---------------------------------------------------------------------------------------


def without_shard(folder: Path) -> None:
    (folder / "digits" / "group1-shard2of2.bin").unlink()


def with_truncated_shard(folder: Path) -> None:
    shard = folder / "digits" / "group1-shard2of2.bin"
    shard.write_bytes(shard.read_bytes()[:-4])


def with_broken_json(folder: Path) -> None:
    model = folder / "digits" / "model.json"
    model.write_text(model.read_text()[:200])


def with_unknown_op(folder: Path) -> None:
    model = folder / "digits" / "model.json"
    model.write_text(model.read_text().replace('"Softmax"', '"WriteFile"'))


def with_shard_outside(folder: Path) -> None:
    model = folder / "digits" / "model.json"
    model.write_text(model.read_text().replace("group1-shard2of2.bin", "../elsewhere.bin"))
    (folder / "elsewhere.bin").write_bytes(b"secret")


def with_unreachable_source(folder: Path) -> None:
    manifest = folder / "bundle.toml"
    manifest.write_text(MANIFEST.replace('"digits"\n\n', '"http://127.0.0.1:1/model.json"\n\n'))


def with_wrong_digest(folder: Path) -> None:
    manifest = folder / "bundle.toml"
    manifest.write_text(MANIFEST.replace('"digits"\n\n', f'"digits"\ndigest = "sha256:{"0" * 64}"\n\n'))


def with_missing_output(folder: Path) -> None:
    (folder / "bundle.toml").write_text(MANIFEST + 'outputs = ["Identify", "Identity:3"]\n')


def with_rename_of_nothing(folder: Path) -> None:
    (folder / "bundle.toml").write_text(MANIFEST + 'rename = { imaeg = "pixels" }\n')


def with_unknown_key(folder: Path) -> None:
    (folder / "bundle.toml").write_text(MANIFEST.replace("output =", "outptu ="))


def with_two_signatures_of_one_key(folder: Path) -> None:
    (folder / "bundle.toml").write_text(MANIFEST + '[[model.signature]]\nkey = "digits"\n')


FAULTS: list[tuple[Callable[[Path], None], int, list[str]]] = [
    (without_shard, 4, ["group1-shard2of2.bin"]),
    (with_truncated_shard, 4, ["model 'digits'", "group1-shard2of2.bin", "found 4,836 bytes, expected 4,840"]),
    (with_broken_json, 4, ["model.json", "line 1, column 198"]),
    (with_unknown_op, 5, ["model 'digits'", "softmax", "'WriteFile'", "hint: ", "allow_ops"]),
    (with_shard_outside, 4, ["../elsewhere.bin"]),
    (with_unreachable_source, 4, ["http://127.0.0.1:1/model.json"]),
    (with_wrong_digest, 4, ["found sha256:", "expected sha256:0000", "hint: "]),
    (
        with_missing_output,
        2,
        ["signature 'digits': outputs, entry 1:", "'Identify'", "did you mean 'Identity'?", "outputs, entry 2:"],
    ),
    (with_rename_of_nothing, 2, ["rename.imaeg: ", "did you mean 'image'?"]),
    (with_unknown_key, 2, ["bundle.outptu", "did you mean 'output'?"]),
    (with_two_signatures_of_one_key, 2, ["model 'digits': signature 2: key: "]),
]


@pytest.mark.parametrize(("fault", "status", "said"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_bad_input_is_explained_and_loses_nothing(
    fault: Callable[[Path], None], status: int, said: list[str], project: Path
) -> None:
    assert bundler("build", project / "bundle.toml", "--no-check").returncode == 0
    before = contents(project / "out")
    fault(project)
    present = sorted(project.iterdir())
    ended = bundler("build", project / "bundle.toml", "--no-check")
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert [text for text in said if text not in ended.stderr] == [], ended.stderr
    assert contents(project / "out") == before
    assert sorted(project.iterdir()) == present


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_where_a_file_cannot_be_so_large_it_says_so_and_keeps_what_there_was(project: Path) -> None:
    assert bundler("build", project / "bundle.toml", "--no-check").returncode == 0
    before = contents(project / "out")
    limited = ["sh", "-c", 'ulimit -f 4 && exec "$@"', "sh", sys.executable, "-m", "bundler"]
    command = [*limited, "build", project / "bundle.toml", "--no-check", "--force"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"error: {project / 'bundle.toml'}: {project / 'out'}: cannot be written (found File too large)\n"
    )
    assert contents(project / "out") == before
    assert [path.name for path in project.iterdir() if path.suffix == ".part"] == []


def test_an_op_outside_the_table_is_imported_where_the_user_trusts_it(project: Path) -> None:
    model = project / "digits" / "model.json"
    model.write_text(model.read_text().replace('"Softmax"', '"Softsign"'))
    refused = bundler("build", project / "bundle.toml", "--no-check")
    assert (refused.returncode, "'Softsign'" in refused.stderr) == (5, True)
    trusted = MANIFEST.replace('"digits"\n\n', '"digits"\nallow_ops = ["Softsign"]\n\n')
    (project / "bundle.toml").write_text(trusted)
    assert bundler("build", project / "bundle.toml").returncode == 0


def test_every_broken_model_is_reported_not_only_the_first(project: Path) -> None:
    second = (
        MANIFEST.split("[[model]]")[1].replace('name = "digits"', 'name = "more"').replace('"digits"\n', '"more"\n')
    )
    (project / "bundle.toml").write_text(MANIFEST + "\n[[model]]" + second)
    with_truncated_shard(project)
    ended = bundler("build", project / "bundle.toml", "--no-check")
    assert ended.returncode == 4
    assert "model 'digits'" in ended.stderr
    assert "model 'more'" in ended.stderr


# What is there stays ------------------------------------------------------------------------------


def test_a_folder_that_bundler_did_not_write_is_kept_unless_forced(project: Path) -> None:
    (project / "out").mkdir()
    (project / "out" / "thesis.txt").write_text("irreplaceable")
    ended = bundler("build", project / "bundle.toml", "--no-check")
    assert ended.returncode == 1
    assert "--force" in ended.stderr
    assert contents(project / "out") == {"thesis.txt": b"irreplaceable"}
    assert bundler("build", project / "bundle.toml", "--no-check", "--force").returncode == 0
    assert sorted(contents(project / "out")) == ["assets.extra/bundle.json", FILE]


def test_a_version_goes_into_a_folder_of_its_own(project: Path) -> None:
    (project / "bundle.toml").write_text(MANIFEST.replace('"out"', '"out"\nversion = 3'))
    assert bundler("build", project / "bundle.toml", "--no-check").returncode == 0
    assert sorted(contents(project / "out")) == ["3/assets.extra/bundle.json", f"3/{FILE}"]


# Same input, same bytes ---------------------------------------------------------------------------


def test_two_builds_are_byte_identical(tmp_path: Path) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "elsewhere")
    first = tmp_path / "first"
    second = tmp_path / "a" / "longer" / "path"
    one = bundler("build", MANIFESTS / "tiny.toml", "-o", first, "-j", 1, PYTHONHASHSEED="1")
    two = bundler("build", tmp_path / "elsewhere" / "tiny.toml", "-o", second, "-j", 4, PYTHONHASHSEED="2")
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert contents(first) == contents(second)


# What need not be done ----------------------------------------------------------------------------


def test_a_bundle_that_is_up_to_date_is_left_alone_and_said_to_be(project: Path) -> None:
    assert bundler("build", project / "bundle.toml").returncode == 0
    written = (project / "out" / FILE).stat()
    again = bundler("build", project / "bundle.toml")
    assert again.returncode == 0
    assert "out: up to date, 1 signature, 1 model" in again.stdout
    assert (project / "out" / FILE).stat() == written


@pytest.mark.parametrize("change", ["manifest", "shard", "output", "--force"])
def test_whatever_changes_the_bytes_makes_it_build_again(change: str, project: Path) -> None:
    bundler("build", project / "bundle.toml", "--no-check")
    if change == "manifest":
        (project / "bundle.toml").write_text(MANIFEST + 'rename = { image = "pixels" }\n')
    if change == "shard":
        shard = project / "digits" / "group1-shard2of2.bin"
        shard.write_bytes(bytes(len(shard.read_bytes())))
    if change == "output":
        (project / "out" / FILE).unlink()
    again = bundler("build", project / "bundle.toml", "--no-check", *(["--force"] if change == "--force" else []))
    assert (again.returncode, "up to date" in again.stdout) == (0, False)
    assert (project / "out" / FILE).is_file()


# What it prints -----------------------------------------------------------------------------------


def test_a_second_model_takes_the_default_key_from_the_first_with_a_note(project: Path) -> None:
    alone = '[bundle]\nname = "pets"\noutput = "out"\n[[model]]\nname = "digits"\nsource = "digits"\n'
    keyed = f'{alone}[[model.signature]]\nkey = "serving_default"\n'
    second = '[[model]]\nname = "more"\nsource = "digits"\n'
    manifest = project / "pets.toml"
    said = []
    tags = 'tags = ["{}"]\n'
    apart = alone.replace("[[", 'layout = "tags"\n[[') + tags.format("a") + second + tags.format("b")
    for text in (alone, alone + second, alone + second, alone, keyed, keyed + second, apart, alone + second):
        manifest.write_text(text)
        said.append(bundler("build", "--no-check", manifest).stderr)
    note = (
        "note: the signature of model 'digits' was 'serving_default', as it was alone, and is 'digits' now:"
        ' [[model.signature]] with key = "serving_default" keeps the key\n'
    )
    assert said == ["", note, "", "", "", "", "", ""]


def test_standard_output_carries_one_json_document(project: Path) -> None:
    ended = bundler("build", project / "bundle.toml", "--json")
    assert ended.returncode == 0
    assert ended.stderr == ""
    report = json.loads(ended.stdout)
    assert report["name"] == "broken"
    assert [signature["key"] for signature in report["signatures"]] == ["digits"]
    assert [check["name"] for check in report["checks"]] == ["load"]


def test_a_build_does_not_import_tensorflow(project: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "bundler", "build", str(project / "bundle.toml")]
    ended = subprocess.run(command, capture_output=True, text=True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.returncode == 0
    assert "bundler.verbs.linked" in imported
    assert not imported & {"tensorflow", "tensorflow.python", "tensorflowjs", "keras", "joblib", "tqdm"}


def test_a_failed_conversion_shows_its_origin_with_vv(project: Path) -> None:
    with_unknown_op(project)
    ended = bundler("check", project / "bundle.toml", "-vv")
    assert ended.returncode == 5
    assert "Traceback (most recent call last):" in ended.stderr
    assert re.search(r'File ".*/bundler/rewrites/__init__\.py", line \d+, in run\n', ended.stderr)
    assert re.search(r"^error: .*bundle\.toml:6: model 'digits': model\.json: node", ended.stderr, re.M)


REFUSED = """
[bundle]
name = "refused"

[[model]]
name = "shaped"
source = "digits"
shapes = { image = [2, 65] }

[[model]]
name = "product"
source = "product"
"""


def test_all_models_that_tensorflow_refuses_are_reported(project: Path) -> None:
    product = new_node("BatchMatMulV2", "y", ["a", "b"], T=DType.float32, adj_x=False, adj_y=False)
    write_model(project / "product", [placeholder("a", 2, 3), placeholder("b", 2, 3), product])
    (project / "bundle.toml").write_text(REFUSED)
    ended = bundler("check", project / "bundle.toml", "-vv")
    assert ended.returncode == 2
    assert re.findall(r"^error: .*/(bundle\.toml:\d+: .*? must) be equal", ended.stderr, re.M) == [
        "bundle.toml:8: model 'shaped': shapes: the model cannot have these shapes (found TensorFlow: Dimensions must",
        "bundle.toml:10: model 'product': TensorFlow: Dimensions must",
    ]
    assert len(re.findall(r"^bundler\.runtimes\.failures\.Refused: TensorFlow: Dimensions", ended.stderr, re.M)) == 2


def test_shapes_that_tensorflow_refuses_show_its_refusal_as_the_origin(project: Path) -> None:
    shaped = MANIFEST.replace('"digits"\n\n', '"digits"\nshapes = { image = [2, 65] }\n\n')
    (project / "bundle.toml").write_text(shaped)
    ended = bundler("check", project / "bundle.toml", "-vv")
    assert ended.returncode == 2
    assert re.search(r"^bundler\.runtimes\.failures\.Refused: TensorFlow: Dimensions must be equal", ended.stderr, re.M)
    assert "shapes: the model cannot have these shapes" in ended.stderr
