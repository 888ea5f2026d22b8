"""Which weight of a file is which variable of a Keras model."""

from __future__ import annotations

import pytest

from bundler.errors import ConversionError
from bundler.tfjs.layers.matching import Variable, match


def layer(name: str, **shapes: tuple[int, ...]) -> list[Variable]:
    """The variables of a layer of the model `m`, as Keras 2 names them; `__` stands for a slash."""
    names = {f"{name}/{last.replace('__', '/')}": shape for last, shape in shapes.items()}
    return [Variable(name, each, shape, f"m/{each}") for each, shape in names.items()]


DENSE = layer("dense", kernel=(2, 3), bias=(3,))
DENSE_1 = layer("dense_1", kernel=(2, 3), bias=(3,))
LSTM = layer("lstm", lstm_cell__kernel=(2, 8), lstm_cell__recurrent_kernel=(2, 8), lstm_cell__bias=(8,))
NORM = layer("norm", gamma=(3,), beta=(3,), moving_mean=(3,), moving_variance=(3,))


@pytest.mark.parametrize(
    ("variables", "weights"),
    [
        pytest.param(DENSE, ["dense/kernel", "dense/bias"], id="by name"),
        pytest.param(LSTM, ["lstm/kernel", "lstm/recurrent_kernel", "lstm/bias"], id="without the cell"),
        pytest.param(
            LSTM,
            ["lstm/lstm_cell_4/kernel", "lstm/lstm_cell_4/recurrent_kernel", "lstm/lstm_cell_4/bias"],
            id="of a cell with a number",
        ),
        pytest.param(DENSE, ["sequential/dense/kernel", "sequential/dense/bias"], id="behind the model's name"),
        pytest.param(DENSE, ["dense/0", "dense/1"], id="by number"),
        pytest.param(DENSE, ["dense_2/kernel", "dense_2/bias"], id="of a layer with a number"),
        pytest.param(
            DENSE + DENSE_1, ["dense/kernel", "dense/bias", "dense_1_1/kernel", "dense_1_1/bias"], id="with two numbers"
        ),
    ],
)
def test_weights_are_found(variables: list[Variable], weights: list[str]) -> None:
    shapes = {name: variable.shape for name, variable in zip(weights, variables)}
    assert list(match(variables, shapes).values()) == weights


def test_layers_of_one_name_in_two_models_have_their_models_weights() -> None:
    variables = [Variable("dense", "dense/kernel", (2,), f"{model}/dense/kernel") for model in "ab"]
    weights = ["b/dense/kernel", "a/dense/kernel"]
    assert list(match(variables, dict.fromkeys(weights, (2,))).values()) == weights[::-1]


def test_a_weight_is_that_of_one_variable() -> None:
    variables = [Variable("dense", "dense/kernel", (2,), f"{model}/dense/kernel") for model in "ab"]
    with pytest.raises(ConversionError, match="the model has no weight for 'dense/kernel'"):
        match(variables, {"dense/kernel": (2,)})


def test_names_go_before_order() -> None:
    backwards = ["model/norm/moving_variance", "model/norm/moving_mean", "model/norm/beta", "model/norm/gamma"]
    found = match(NORM, dict.fromkeys(backwards, (3,)))
    assert list(found.values()) == backwards[::-1]


def test_a_layer_whose_name_ends_in_a_number_keeps_its_own_weights() -> None:
    weights = {"dense_1/kernel": (2, 3), "dense_1/bias": (3,), "dense/kernel": (2, 3), "dense/bias": (3,)}
    found = match(DENSE + DENSE_1, weights)
    assert [found[variable] for variable in DENSE] == ["dense/kernel", "dense/bias"]


def test_weights_that_nothing_reads_are_let_be() -> None:
    weights = {"dense/kernel": (2, 3), "dense/bias": (3,), "gone/kernel": (9, 9)}
    assert set(match(DENSE, weights).values()) == {"dense/kernel", "dense/bias"}


def test_a_weight_of_another_shape_is_an_error_that_names_it() -> None:
    with pytest.raises(
        ConversionError, match=r"layer 'dense': weight 'dense/kernel' .*found \[3, 2\], expected \[2, 3\]"
    ):
        match(DENSE, {"dense/kernel": (3, 2), "dense/bias": (3,)})


def test_all_that_is_missing_is_reported_at_once() -> None:
    with pytest.raises(ConversionError) as caught:
        match(DENSE + NORM, {"dense/kernel": (2, 3), "other/thing": (7,)})
    assert [fault.where for fault in caught.value.faults] == ["layer 'dense'"] + ["layer 'norm'"] * 4
    assert {fault.found for fault in caught.value.faults} == {"other/thing"}
