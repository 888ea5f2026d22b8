"""What is wrong with the steps of a composed signature: where, what, and what helps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bundler
from bundler.errors import ManifestError, Place
from tests.compose.small import write

SIGNATURE = """
[[signature]]
key = "{key}"
inputs = {{ {inputs} }}
outputs = [{outputs}]
steps = [
{steps}
]
"""


def signature(*steps: str, inputs: str = 'image = "string"', outputs: str = '"y"', key: str = "s") -> str:
    lines = "\n".join(f"  {{ {step} }}," for step in steps)
    return SIGNATURE.format(key=key, inputs=inputs, outputs=outputs, steps=lines)


def faults(folder: Path, *signatures: str, bundle: str = "") -> list[tuple[str, str, str]]:
    """Place, words and hint of each fault."""
    with pytest.raises(ManifestError) as caught:
        bundler.check(write(folder, "".join(signatures), bundle))
    return [
        (str(Place(fault.place.keys)), str(fault).partition(f"{fault.place}: ")[2], fault.hint)
        for fault in caught.value.faults
    ]


DECODE, SMALL = 'op = "decode_image"', 'op = "resize_bilinear", size = [64, 64]'
GREY = 'op = "grayscale", weights = [0.3, 0.6, 0.1]'
TENSOR = 'x = "float32[?, 7]"'
LARGE = 'op = "resize_bilinear", size = [256, 256]'
BOXES, NUMBERS = 'boxes = "float32[?, 4]", scores = "float32[?]"', 'x = "int32[2, 3]"'

CASES = {
    "dtype at a seam": (
        signature(
            'op = "resize_nearest_neighbor", size = [64, 64]',
            'call = "face_emotion", as = "y"',
            inputs='image = "uint8[1, 9, 9, 1]"',
        ),
        "signature[0].steps[1]",
        "face_emotion: its input 'image' has another dtype (found uint8[1, 64, 64, 1], expected float32[?, 64, 64, 1])",
        'put { op = "cast", dtype = "float32" } before it',
    ),
    "channels at a seam": (
        signature(DECODE, SMALL, 'call = "face_emotion", as = "y"'),
        "signature[0].steps[2]",
        "face_emotion: its input 'image' has another shape"
        " (found float32[1, 64, 64, 3], expected float32[?, 64, 64, 1])",
        "the last dimension differs: grayscale makes one channel of three",
    ),
    "size at a seam": (
        signature(DECODE, LARGE, GREY, 'call = "face_emotion", as = "y"'),
        "signature[0].steps[3]",
        "face_emotion: its input 'image' has another shape"
        " (found float32[1, 256, 256, 1], expected float32[?, 64, 64, 1])",
        'put { op = "resize_bilinear", size = [64, 64] } before it',
    ),
    "rank at a seam": (
        signature('call = "face_emotion", as = "y"', inputs='x = "float32[64, 64, 1]"'),
        "signature[0].steps[0]",
        "face_emotion: its input 'image' has another shape (found float32[64, 64, 1], expected float32[?, 64, 64, 1])",
        'put { op = "expand_dims", axis = 0 } before it',
    ),
    "no such signature": (
        signature(DECODE, 'call = "face_emotions", as = "y"'),
        "signature[0].steps[1]",
        "there is no signature 'face_emotions'",
        "did you mean 'face_emotion'?",
    ),
    "no such name": (
        signature(
            'op = "decode_image", as = "pixels"', 'op = "resize_bilinear", size = [4, 4], of = "pixel", as = "y"'
        ),
        "signature[0].steps[1].of",
        "no step before this one gives 'pixel'",
        "did you mean 'pixels'?",
    ),
    "one of several": (
        signature(DECODE, LARGE, 'call = "face_detect"', 'op = "sigmoid", as = "y"'),
        "signature[0].steps[3]",
        "sigmoid takes one tensor, and face_detect gives 4",
        'name one: of = "boxes_fine"',
    ),
    "labels": (
        signature('op = "top_k", k = 1, labels = ["a", "b"], as = ["v", "y"]', inputs=TENSOR),
        "signature[0].steps[0]",
        "top_k: the labels are not as many as the classes (found 2, expected 7, as in float32[?, 7])",
        "",
    ),
    "more than there are": (
        signature('op = "top_k", k = 8, as = ["v", "y"]', inputs=TENSOR),
        "signature[0].steps[0]",
        "top_k: k is larger than the last dimension (found 8, expected float32[?, 7])",
        "",
    ),
    "a threshold of 0": (
        signature('op = "non_max_suppression", max_output_size = 3, iou_threshold = 0, as = ["y"]', inputs=BOXES),
        "signature[0].steps[0]",
        "non_max_suppression: iou_threshold = 0 keeps one box in TensorFlow.js, and all that are apart in TensorFlow",
        "give a small number: 0.0001",
    ),
    "a batch of files": (
        signature('op = "decode_image", as = "y"', inputs='images = "string[?]"'),
        "signature[0].steps[0]",
        "decode_image: takes one image (found string[?], expected string[])",
        "put it into { map = [ … ] }",
    ),
    "in a map": (
        signature('map = [{ op = "sigmoid" }], as = "y"', inputs='images = "string[?]"'),
        "signature[0].steps[0]",
        "map: sigmoid: takes no tensor of this dtype (found string[1], expected float32)",
        "",
    ),
    "a map of scalars": (
        signature('map = [{ op = "sigmoid" }], as = "y"', inputs='x = "float32"'),
        "signature[0].steps[0]",
        "map: a map takes tensors with a first dimension (found float32[])",
        "",
    ),
    "a turn that gives two": (
        signature('map = [{ op = "reshape", shape = [2, 2] }], as = "y"', inputs='x = "float32[?, 4]"'),
        "signature[0].steps[0]",
        "map: each turn of a map gives a batch of one (found float32[2, 2], expected [1, …])",
        "",
    ),
    "an unused step": (
        signature('op = "sigmoid", as = "y"', 'op = "exp", of = "x"', inputs=TENSOR),
        "signature[0].steps[1]",
        "exp: no output needs what it gives",
        "list it in outputs, or leave the step out",
    ),
    "an unused input": (
        signature('op = "sigmoid", of = "x", as = "y"', inputs=f'{TENSOR}, other = "float32"'),
        "signature[0].inputs.other",
        "no step takes this input",
        "",
    ),
    "a name twice": (
        signature('op = "sigmoid", as = "x"', 'op = "exp", as = "y"', inputs=TENSOR),
        "signature[0].steps[0].as",
        "another step gives 'x' already",
        "a name is given once: choose another with as",
    ),
    "no such output": (
        signature('op = "sigmoid", as = "scores"', outputs='"score"', inputs=TENSOR),
        "signature[0].outputs[0]",
        "no step gives 'score'",
        "did you mean 'scores'?",
    ),
    "an output twice": (
        signature('op = "sigmoid", as = "y"', outputs='"y", "y"', inputs=TENSOR),
        "signature[0].outputs[1]",
        "'y' is listed twice",
        "list each output once",
    ),
    "too many names": (
        signature('op = "sigmoid", as = ["y", "z"]', inputs=TENSOR),
        "signature[0].steps[0].as",
        "sigmoid: as has too many names (found 2, expected 1)",
        "",
    ),
    "a dtype of an op": (
        signature('op = "div", by = 2, as = "y"', inputs=NUMBERS),
        "signature[0].steps[0]",
        "div: takes no tensor of this dtype (found int32[2, 3], expected float32)",
        'put { op = "cast", dtype = "float32" } before it',
    ),
    "a fraction for integers": (
        signature('op = "add", by = 0.5, as = "y"', inputs=NUMBERS),
        "signature[0].steps[0]",
        "add: the number is not whole, and the tensor is int32 (found 0.5)",
        'put { op = "cast", dtype = "float32" } before it',
    ),
    "shapes that cannot be broadcast": (
        signature('op = "add", of = ["a", "b"], as = "y"', inputs='a = "float32[2, 3]", b = "float32[2, 4]"'),
        "signature[0].steps[0]",
        "add: shapes do not fit each other (found [2, 3] and [2, 4], expected equal sizes, or sizes of 1)",
        "",
    ),
    "an axis": (
        signature('op = "reduce_max", axis = 2, as = "y"', inputs=TENSOR),
        "signature[0].steps[0]",
        "reduce_max: there is no such axis (found 2 of float32[?, 7], expected from -2 to 1)",
        "",
    ),
    "boxes in a batch": (
        signature(
            'op = "crop_and_resize", size = [2, 2], as = "y"',
            inputs='i = "float32[1, 9, 9, 3]", b = "float32[1, 5, 4]"',
        ),
        "signature[0].steps[0]",
        "crop_and_resize: takes boxes (found float32[1, 5, 4], expected float32[boxes, 4])",
        '{ op = "squeeze", axis = 0 } before it takes away a batch of 1',
    ),
    "anchors": (
        signature(
            'op = "decode_boxes", input_size = 128, strides = [8, 16], anchors = [2, 6], as = "y"',
            inputs='x = "float32[1, 895, 16]"',
        ),
        "signature[0].steps[0]",
        "decode_boxes: the boxes are not as many as the anchors (found float32[895, 16], expected 896 boxes)",
        "",
    ),
    "too many anchors": (
        signature(
            'op = "decode_boxes", input_size = 32768, strides = [1], anchors = [1], as = "y"',
            inputs='x = "float32[1, 895, 16]"',
        ),
        "signature[0].steps[0]",
        "decode_boxes: there are too many anchors (found 1,073,741,824, expected at most 1,048,576)",
        "",
    ),
    "layers of anchors": (
        signature(
            'op = "decode_boxes", input_size = 128, strides = [8, 16], anchors = [2], as = "y"',
            inputs='x = "float32[1, 895, 16]"',
        ),
        "signature[0].steps[0]",
        "decode_boxes: strides and anchors are of another number of layers (found 1 layers)",
        "",
    ),
    "resize for tflite": (
        signature('op = "resize_bilinear", size = [2, 2], as = "y"', inputs='i = "uint8[1, 9, 9, 3]"'),
        "signature[0].steps[0]",
        "resize_bilinear: takes no tensor of this dtype (found uint8[1, 9, 9, 3], expected float32)",
        'put { op = "cast", dtype = "float32" } before it',
    ),
    "tflite": (
        signature('op = "decode_image", as = "y"'),
        "signature[0]",
        'compat = "tflite" has no decode_image',
        "take the image as float32[1, ?, ?, 3]",
    ),
    "an input that Python cannot pass": (
        signature('op = "sigmoid", as = "y"', inputs='class = "float32"'),
        "signature[0].inputs.class",
        "callers in Python cannot pass this input: it is a keyword of Python",
        "",
    ),
    "a method": (
        signature('op = "sigmoid", as = "y"', inputs='inputs = "float32"') + 'method_name = "regress"\n',
        "signature[0].method_name",
        "TensorFlow Serving takes no such input for this method (found inputs: float32, expected inputs: string)",
        'rename it, or leave the method at "predict"',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_says_where_it_is_what_it_is_and_what_helps(name: str, tmp_path: Path) -> None:
    given, place, words, hint = CASES[name]
    bundle = 'compat = "tflite"\n' if "tflite" in name else ""
    assert faults(tmp_path, given, bundle=bundle)[0] == (place, words, hint)


def test_all_faults_of_all_signatures_are_reported_and_each_once(tmp_path: Path) -> None:
    wrong = signature('op = "div", by = 2', 'op = "exp"', 'op = "sqrt", as = "y"', inputs=NUMBERS)
    lost = signature('op = "exp", of = "z"', 'call = "nothing", as = "y"', inputs=NUMBERS, key="t")
    places = [place for place, _, _ in faults(tmp_path, wrong, lost)]
    assert places == ["signature[0].steps[0]", "signature[1].steps[0].of", "signature[1].steps[1]"]


def test_a_person_finds_a_step_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        bundler.check(write(tmp_path, signature('op = "exp"', 'op = "sqrt", of = "z", as = "y"', inputs=TENSOR)))
    first, *_ = map(str, caught.value.faults)
    assert first == f"{tmp_path / 'faces.toml'}:28: signature 's': step 2: of: no step before this one gives 'z'"


def test_signatures_that_call_each_other_in_a_circle_are_an_error(tmp_path: Path) -> None:
    one = signature('call = "t", as = "y"', inputs=TENSOR, key="s")
    other = signature('call = "s", as = "y"', inputs='x = "float32[?, 7]"', key="t")
    ((place, words, _),) = faults(tmp_path, one, other)
    assert (place, words) == ("signature[0].steps[0]", "signatures call each other in a circle (found s → t → s)")


def test_each_model_in_a_graph_of_its_own_can_have_no_composed_signature(tmp_path: Path) -> None:
    path = write(tmp_path, signature('op = "sigmoid", as = "y"', inputs=TENSOR), 'layout = "tags"\n')
    path.write_text(re.sub(r'source = "(\w+)"', r'source = "\1"\ntags = ["\1"]', path.read_text()))
    with pytest.raises(ManifestError) as caught:
        bundler.check(path)
    assert [fault.what for fault in caught.value.faults] == [
        'layout = "tags" gives each model a graph of its own: nothing can be composed of two'
    ]


def test_the_key_of_a_composed_signature_is_its_own(tmp_path: Path) -> None:
    ((place, words, _),) = faults(tmp_path, signature('op = "sigmoid", as = "y"', inputs=TENSOR, key="face_detect"))
    assert (place, words) == (
        "signature[0].key",
        "'face_detect' is also the key of signature 1 of model 'detector'",
    )


def test_a_check_of_a_composed_signature_names_no_model(tmp_path: Path) -> None:
    check = '[[check]]\nsignature = "s"\nmodel = "emotion"\n'
    composed = signature('op = "sigmoid", as = "y"', inputs=TENSOR)
    assert faults(tmp_path, composed, check) == [
        ("check[0].model", "the signature is composed of steps, and belongs to no model", "leave model out")
    ]


def test_labels_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    ((place, words, _),) = faults(
        tmp_path, signature('op = "labels", labels = "labels.txt", as = "y"', inputs='x = "int32[?]"')
    )
    assert place == "signature[0].steps[0].labels"
    assert words == "the labels cannot be read (found labels.txt: No such file or directory)"
