"""`bundler diff`: every kind of change, its text, and the exit status of a release gate."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import bundler
from bundler.cli import main
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from tests.support.elsewhere import call
from tests.support.models import placeholder, write_model
from tests.support.places import MANIFESTS, ROOT

W = np.arange(1, 7, dtype=np.float32).reshape(3, 2)
HEADS: tuple[Node, ...] = (
    placeholder("x", None, 3),
    new_node("MatMul", "y", ["x", "w"], T=DType.float32),
    new_node("Relu", "z", ["x"], T=DType.float32),
)


class Release:
    """A folder with a manifest and the model `cat`, and the bundles that are built of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model()
        self.manifest()

    def model(self, w: np.ndarray = W, nodes: tuple[Node, ...] = HEADS, name: str = "cat") -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        write_model(self.folder / name, nodes, {"w": w})

    def manifest(self, settings: str = "", source: str = "cat", **signatures: str) -> Path:
        keys = signatures or {"heads": 'outputs = ["y", "z"]', "negative": 'outputs = ["z"]'}
        tables = [f'[[model.signature]]\nkey = "{key}"\n{lines}\n' for key, lines in keys.items()]
        text = f'[bundle]\nname = "pets"\n{settings}\n[[model]]\nname = "cat"\nsource = "{source}"\n{"".join(tables)}'
        (self.folder / "pets.toml").write_text(text)
        return self.folder / "pets.toml"

    def build(self, name: str) -> Path:
        bundler.build(self.folder / "pets.toml", output=self.folder / name, check=False)
        return self.folder / name


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.chdir(tmp_path)
    made = Release(tmp_path)
    made.build("old")
    return made


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments])


def change_weight(release: Release) -> None:
    release.model(w=W + np.array([[0, 0], [0, 0], [0, 0.6]], np.float32))


def another_attribute(release: Release) -> None:
    crossed = new_node("MatMul", "y", ["z", "w"], T=DType.float32, transpose_a=False)
    release.model(nodes=(HEADS[0], crossed, HEADS[2]))


def one_output_less(release: Release) -> None:
    release.manifest(heads='outputs = ["y"]', negative='outputs = ["z"]', more='outputs = ["z"]')


def other_names(release: Release) -> None:
    release.manifest(heads='outputs = ["y", "z"]\nrename = { x = "image", z = "pos" }', negative='outputs = ["z"]')


def fixed_batch(release: Release) -> None:
    release.manifest("", heads='outputs = ["y", "z"]', negative='outputs = ["z"]')
    path = release.folder / "pets.toml"
    path.write_text(path.read_text().replace('source = "cat"\n', 'source = "cat"\nshapes = { x = [1, 3] }\n'))


def moved(release: Release) -> None:
    shutil.copytree(release.folder / "cat", release.folder / "kitten")
    release.manifest(source="kitten")


def another_model(release: Release) -> None:
    release.model(name="dog", w=W * 2)
    path = release.folder / "pets.toml"
    path.write_text(path.read_text() + '[[model]]\nname = "dog"\nsource = "dog"\n')


def retyped(release: Release) -> None:
    nodes = (*HEADS[:2], new_node("Cast", "z", ["x"], SrcT=DType.float32, DstT=DType.int32))
    release.model(nodes=nodes)


@pytest.mark.parametrize(
    ("change", "text", "status"),
    [
        (lambda release: None, "no differences\n", 0),
        (
            change_weight,
            """\
  ~ model cat
      other files: cat
  ~ 1 of 1 weight changed
      cat/w  float32[3, 2]  1 of 6 elements, by up to 0.6 (0.1 of the largest value)
  size: SIZE → SIZE
callers notice no change of signatures
""",
            0,
        ),
        (
            lambda release: release.manifest(heads='outputs = ["y", "z"]'),
            """\
  - signature negative  callers notice
  size: SIZE → SIZE
callers notice 1 change of signatures or tags
""",
            1,
        ),
        (
            lambda release: release.manifest(
                heads='outputs = ["y"]', negative='outputs = ["z"]', more='outputs = ["z"]'
            ),
            """\
  ~ signature heads
      output z removed: float32[?, 3]  callers notice
  + signature more
  size: SIZE → SIZE
callers notice 1 change of signatures or tags
""",
            1,
        ),
        (
            other_names,
            """\
  ~ signature heads
      input x renamed to image: float32[?, 3]  callers notice
      output z renamed to pos: float32[?, 3]  callers notice
  size: SIZE → SIZE
callers notice 1 change of signatures or tags
""",
            1,
        ),
        (
            fixed_batch,
            """\
  ~ signature heads
      input x: float32[?, 3] → float32[1, 3]  callers notice
      output y: float32[?, 2] → float32[1, 2]
      output z: float32[?, 3] → float32[1, 3]
  ~ signature negative
      input x: float32[?, 3] → float32[1, 3]  callers notice
      output z: float32[?, 3] → float32[1, 3]
  ~ 1 node with other inputs or attributes
      cat/x
  size: SIZE → SIZE
callers notice 2 changes of signatures or tags
""",
            1,
        ),
        (
            moved,
            """\
  ~ model cat
      cat → kitten, the same files
  size: SIZE → SIZE
callers notice no change of signatures
""",
            0,
        ),
        (
            another_model,
            """\
  + signature dog
  + model dog
      dog
  + 1 weight added
      dog/w  float32[3, 2]
  ops: Const 1 → 2, MatMul 1 → 2, Placeholder 1 → 2, Relu 1 → 2
  size: SIZE → SIZE
callers notice no change of signatures
""",
            0,
        ),
        (
            retyped,
            """\
  ~ signature heads
      output z: float32[?, 3] → int32[?, 3]  callers notice
  ~ signature negative
      output z: float32[?, 3] → int32[?, 3]  callers notice
  ~ model cat
      other files: cat
  ops: Cast 0 → 1, Relu 1 → 0
  size: SIZE → SIZE
callers notice 2 changes of signatures or tags
""",
            1,
        ),
        (
            another_attribute,
            """\
  ~ model cat
      other files: cat
  ~ 1 node with other inputs or attributes
      cat/y
  size: SIZE → SIZE
callers notice no change of signatures
""",
            0,
        ),
        (
            lambda release: release.manifest('tags = ["serve", "gpu"]'),
            """\
  - MetaGraph serve  callers notice
  size: SIZE → SIZE
callers notice 1 change of signatures or tags
""",
            1,
        ),
        (
            lambda release: release.manifest('weights = "variables"'),
            """\
  ops: Const 1 → 0, ReadVariableOp 0 → 1, VarHandleOp 0 → 1
  size: SIZE → SIZE
callers notice no change of signatures
""",
            0,
        ),
    ],
    ids=[
        *("nothing", "a weight", "a signature less", "an output less, a signature more", "other names"),
        *("a fixed batch", "another source", "another model", "another dtype", "other inputs of a node"),
        *("other tags", "variables"),
    ],
)
def test_each_kind_of_change(change: Callable[[Release], object], text: str, status: int, release: Release) -> None:
    change(release)
    release.build("new")
    done = diff("old", "new")
    assert (done.exit_code, _without_sizes(done.stdout)) == (status, f"old → new\n{text}")
    assert diff("old", "pets.toml").exit_code == status
    assert bundler.diff("old", "new").is_empty == (text == "no differences\n")


def _without_sizes(text: str) -> str:
    lines = ("  size: SIZE → SIZE" if line.startswith("  size: ") else line for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines)


def test_a_changed_variable_is_found_by_its_name(release: Release) -> None:
    release.manifest('weights = "variables"')
    release.build("before")
    change_weight(release)
    release.build("after")
    (weight,) = bundler.diff("before", "after").weights
    assert (weight.name, weight.elements, weight.absolute) == ("cat/w", 1, pytest.approx(0.6))
    assert bundler.diff("old", "after").weights == (weight,)


def test_with_several_metagraphs_signatures_and_weights_are_those_of_each(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        write_model(tmp_path / name, HEADS, {"w": W})
    models = [f'[[model]]\nname = "{name}"\nsource = "{name}"\ntags = ["{name}"]\n' for name in ("cat", "dog")]
    (tmp_path / "pets.toml").write_text('[bundle]\nname = "pets"\nlayout = "tags"\n' + "".join(models))
    for weights in ("constants", "variables"):
        text = (tmp_path / "pets.toml").read_text()
        (tmp_path / f"{weights}.toml").write_text(text.replace("layout", f'weights = "{weights}"\nlayout'))
        bundler.build(tmp_path / f"{weights}.toml", output=tmp_path / weights, check=False)
    write_model(tmp_path / "dog", HEADS, {"w": W * 2})
    for weights in ("constants", "variables"):
        found = bundler.diff(tmp_path / weights, tmp_path / "pets.toml")
        assert [weight.name for weight in found.weights] == ["dog/w"]
        assert (found.breaks, found.signatures) == (False, ())


def test_a_bundle_without_its_record_is_compared_in_all_but_its_models(release: Release) -> None:
    change_weight(release)
    release.build("new")
    shutil.rmtree(release.folder / "new" / "assets.extra")
    found = bundler.diff("old", "new")
    assert (found.after.models, found.models) == (None, ())
    assert [weight.name for weight in found.weights] == ["cat/w"]


def _save_with_tensorflow(folder: str, factor: float, width: int) -> None:
    import tensorflow as tf

    class Scaled(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(np.ones((3, 2), np.float32) * factor, name="w")

        @tf.function(input_signature=[tf.TensorSpec([None, width], tf.float32, "x")])  # type: ignore[untyped-decorator]
        def serve(self, x: object) -> object:
            return {"y": tf.matmul(x, self.w)}

    made = Scaled()
    tf.saved_model.save(made, folder, signatures={"serving_default": made.serve})


def test_saved_models_of_tensorflow_are_compared_with_their_variables(tmp_path: Path) -> None:
    for name, factor in (("old", 1.0), ("new", 1.5)):
        call(_save_with_tensorflow, str(tmp_path / name), factor, 3, environment={})
    found = bundler.diff(tmp_path / "old", tmp_path / "new")
    assert [(weight.name, weight.absolute, weight.elements) for weight in found.weights] == [("w", 0.5, 6)]
    assert not found.signatures
    assert bundler.diff(tmp_path / "old", tmp_path / "old").is_empty


# Its forms ---------------------------------------------------------------------------------------

MARKDOWN = """\
## `old` → `new`

**callers notice 1 change of signatures or tags**

| signature | change | callers notice |
| --- | --- | --- |
| `heads` | `output z removed: float32[?, 3]` | **yes** |
| `more` | added | no |

| model | change | source before | source after |
| --- | --- | --- | --- |
| `cat` | other files | `cat` | `cat` |

| weight | type | change |
| --- | --- | --- |
| `cat/w` | `float32[3, 2]` | 1 of 6 elements, by up to 0.6 (0.1 of the largest value) |

| size before | after |
| --- | --- |
"""


def test_markdown_has_a_table_for_each_part(release: Release) -> None:
    change_weight(release)
    release.manifest(heads='outputs = ["y"]', negative='outputs = ["z"]', more='outputs = ["z"]')
    release.build("new")
    done = diff("old", "new", "--markdown")
    *lines, sizes = done.stdout.splitlines(keepends=True)
    assert (done.exit_code, "".join(lines)) == (1, MARKDOWN)
    assert sizes.startswith("| 2.")


def test_names_of_strangers_have_no_markup() -> None:
    from bundler.cli.texts.markdown import _code

    assert [_code(text) for text in ("a|b", "`x`", "a\nb", "", "**y**")] == [
        *("`a\\|b`", "`` `x` ``", "`a b`", "", "`**y**`")
    ]


def test_json_has_all_of_it(release: Release) -> None:
    change_weight(release)
    release.manifest(heads='outputs = ["y"]', negative='outputs = ["z"]')
    release.build("new")
    document = json.loads(diff("old", "new", "--json").stdout)
    assert document["breaks"] is True
    assert document["signatures"] == [
        {
            "key": "heads",
            "tags": "",
            "kind": "changed",
            "changes": [
                {
                    "side": "output",
                    "name": "z",
                    "kind": "removed",
                    "what": "name",
                    "before": "float32[?, 3]",
                    "after": "",
                    "breaks": True,
                    "new_name": "",
                }
            ],
            "breaks": True,
        }
    ]
    (weight,) = document["weights"]
    assert (weight["name"], weight["elements"], weight["relative"]) == ("cat/w", 1, pytest.approx(0.1))


@pytest.mark.parametrize(
    ("other", "status", "text"),
    [
        ("gone", 4, "gone: there is no such file or folder"),
        ("cat", 4, "cat: this is a TensorFlow.js model, no SavedModel"),
        ("gone.toml", 2, "gone.toml: "),
    ],
)
def test_what_is_no_bundle_is_an_error(other: str, status: int, text: str, release: Release) -> None:
    done = diff("old", other)
    assert (done.exit_code, done.stderr.startswith(f"error: {text}")) == (status, True)


@pytest.mark.network
@pytest.mark.slow
def test_two_versions_of_eleven_models_take_less_than_two_seconds(built: Callable[..., Path]) -> None:
    before, after = built("human"), built("human", "variables")
    started = time.process_time()
    found = bundler.diff(before, after)
    assert time.process_time() - started < 2
    assert (found.weights, found.weights_compared) == ((), 1297)


def test_the_manifests_of_the_repository_do_not_differ_from_their_bundles(tmp_path: Path) -> None:
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    assert bundler.diff(tmp_path / "tiny", ROOT / "manifests" / "tiny.toml").is_empty
