"""Names for inputs and outputs whose own say nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bundler.scaffold.proposals import Named, proposals

LAYER = "StatefulPartitionedCall/model"


def of(outputs: Mapping[str, str], inputs: Mapping[str, str] = {}) -> Mapping[str, str]:
    """Proposals for outputs and inputs, by name, with their origins."""
    return proposals(*([Named(*pair) for pair in side.items()] for side in (inputs, outputs)))


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ({"Identity": f"{LAYER}/person/concat"}, {"Identity": "person"}),
        ({"Identity": f"{LAYER}/tf_op_layer_scores_1/scores_1"}, {"Identity": "scores_1"}),
        ({"Identity:0": "model_1/predictions/Softmax"}, {"Identity:0": "predictions"}),
        ({"age/Softmax": "age/Softmax"}, {"age/Softmax": "age"}),
        ({"MobilenetV1/heatmap_2/BiasAdd": "x"}, {"MobilenetV1/heatmap_2/BiasAdd": "heatmap_2"}),
        # The number of an output of a SavedModel stays.
        (
            {"Identity": f"{LAYER}/dense_3/Softmax", "Identity_3": "add_2"},
            {"Identity": "output_0", "Identity_3": "output_3"},
        ),
        ({"Identity": "PartitionedCall/onnx_tf_prefix_Transpose_157"}, {"Identity": "output"}),
        ({"Identity": "Identity_dense/BiasAdd"}, {"Identity": "output"}),
        ({"Identity": "StatefulPartitionedCall/concat_1"}, {"Identity": "output"}),
        # Two of one layer
        ({"Identity": "nms/boxes", "Identity_1": "nms/boxes"}, {"Identity": "output_0", "Identity_1": "output_1"}),
        # Names that say something stay, also if they are those of an op in lower case.
        ({"scores": "Identity", "mean": "a/Mean", "output_1": "b/c", "activation_4": "b/d"}, {}),
        # A proposal must not be the name of another tensor.
        ({"person": "a", "Identity": "m/person/concat"}, {"Identity": "output_0"}),
        ({"output_0": "a", "Identity": "concat"}, {}),
        ({"Identity": "m/Grün/x-y.z"}, {"Identity": "x_y_z"}),
        ({"Identity": "m/日本"}, {"Identity": "output"}),
        ({"Identity": f"m/{'long' * 100}"}, {"Identity": "output"}),
        ({f"{'long/' * 1000}": "x"}, {}),
    ],
)
def test_an_output_is_named_by_its_layer_else_by_its_number(
    outputs: Mapping[str, str], names: Mapping[str, str]
) -> None:
    assert of(outputs) == names


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ({"image": "image", "input_1": "input_1", "x": "x"}, {}),
        ({"Placeholder": "Placeholder"}, {"Placeholder": "input"}),
        (
            {"Placeholder": "Placeholder", "Placeholder_1": "Placeholder_1"},
            {"Placeholder": "input_0", "Placeholder_1": "input_1"},
        ),
        ({"tower_0/images": "tower_0/images"}, {"tower_0/images": "images"}),
        ({"serving_default_pixels:0": "serving_default_pixels"}, {"serving_default_pixels:0": "pixels"}),
        # A keyword cannot be the name of an argument.
        ({"a/class": "a/class"}, {}),
    ],
)
def test_an_input_is_named_as_callers_in_python_can_pass_it(
    inputs: Mapping[str, str], names: Mapping[str, str]
) -> None:
    assert of({"y": "y"}, inputs) == names


def test_an_input_and_an_output_never_get_one_name() -> None:
    assert of({"b/image": "b/image"}, {"a/image": "a/image"}) == {}


def test_a_signature_of_very_many_tensors_keeps_its_names() -> None:
    assert of({f"Identity_{number}": "x" for number in range(101)}) == {}
