"""Names of models and bundles, from sources as users write them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bundler.manifest.faults import FILE_NAME, SCOPE
from bundler.scaffold.names import bundle_name, model_names, natural

HERE = Path("/projects/pets")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("models/posenet", "posenet"),
        ("models/posenet.json", "posenet"),
        ("models/posenet/model.json", "posenet"),
        ("posenet/web_model/tensorflowjs_model.pb", "posenet"),
        ("model.json", "pets"),
        (".", "pets"),
        ("../model.json", "pets"),
        ("posenet.zip", "posenet"),
        ("models.tar.gz#hands/detect.json", "detect"),
        ("models.zip#posenet/model.json", "posenet"),
        ("npm:@vladmandic/human@3.3.6/models/iris.json", "iris"),
        ("npm:@tiny/digits@1.0.0/model/model.json", "digits"),
        ("npm:posenet@1.0.0", "posenet"),
        ("https://example.org/posenet/model.json", "posenet"),
        ("https://example.org/posenet/model.json?key=a/b", "posenet"),
        ("https://example.org/a.zip?x=1#hand/model.json", "hand"),
        ("https://example.org/model.json", "example.org"),
        ("models/Grün & blau.json", "Gr_n_blau"),
        ("models/日本.json", "model"),
        ('models/"]\n[bundle].json', "bundle"),
        ("models/__init__.json", "init"),
        (f"models/{'a' * 300}.json", "a" * 80),
    ],
)
def test_a_model_has_the_name_of_its_file_or_folder(source: str, name: str) -> None:
    assert model_names([source], HERE) == [name]


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/x.json", "b/x.json", "b/y.json"], ["a_x", "b_x", "y"]),
        (["a/model.json", "npm:a@1.0.0/model.json"], ["a", "a_2"]),
        (["x/a/m.json", "y/a/m.json"], ["x_a_m", "y_a_m"]),
        (["日.json", "本.json", "model_2.json"], ["model", "model_3", "model_2"]),
    ],
)
def test_names_are_unique(sources: list[str], names: list[str]) -> None:
    assert model_names(sources, HERE) == names


@pytest.mark.parametrize(
    ("file", "sources", "name"),
    [
        ("human", ["a.json"], "human"),
        ("my human", ["a.json"], "my_human"),
        ("", ["models/posenet"], "posenet"),
        ("", ["npm:@v/human@3.3.6/models/a.json", "npm:@v/human@3.3.6/models/b.json"], "human"),
        ("", ["pets/models/a.json", "pets/models/b.json"], "pets"),
        ("", ["pets.zip#models/a.json", "pets.zip#models/b.json"], "pets"),
        ("", ["a.json", "b.json"], "bundle"),
        ("", ["日.json"], "bundle"),
    ],
)
def test_a_bundle_has_the_name_of_its_file_or_of_what_holds_the_models(
    file: str, sources: list[str], name: str
) -> None:
    assert bundle_name(file, sources, HERE) == name


def test_every_name_is_legal() -> None:
    odd = [f"{chr(code)}{chr(code)}a{chr(code)}.json" for code in range(1, 0x300)]
    assert all(re.match(SCOPE, name) for name in model_names(odd, HERE))
    assert all(re.match(FILE_NAME, bundle_name(name, [], HERE)) for name in odd)


def test_numbers_sort_by_their_value() -> None:
    assert sorted(["y_10", "y_2", "y", "x"], key=natural) == ["x", "y", "y_2", "y_10"]
