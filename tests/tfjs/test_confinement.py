"""Keras' process: code has no way into it, and would have no way out of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundler.runtimes.child import Child
from bundler.tfjs.layers import process
from tests.hostile.layers.roads import MARKER, Road
from tests.support.places import ROOT
from tests.tfjs.test_layers import NEEDS_KERAS

# Ways in -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """Keras' process, without the reader of configurations in front of it."""
    with process.start(tmp_path_factory.mktemp("home")) as running:
        yield running


def answer(keras: Child, model: object, elements: int = 100) -> Any:
    return json.loads(keras.ask(json.dumps({"model": model, "elements": elements}).encode()))


def described(kind: str, shape: object = (None, 2), **options: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "y", "dtype": "float32", "shape": shape, "options": options}


def stack(*layers: Any) -> dict[str, Any]:
    return {"name": "m", "layers": layers}


@NEEDS_KERAS
def test_the_process_makes_what_it_is_for(keras: Child) -> None:
    made = answer(keras, stack(described("Dense", units=3)))
    assert [(variable["name"], variable["shape"]) for variable in made["variables"]] == [
        ("y/kernel:0", [2, 3]),
        ("y/bias:0", [3]),
    ]


@NEEDS_KERAS
@pytest.mark.parametrize(
    "road",
    ["lambda", "lambda in a wrapper", "model as an option", "lambda as an activation", "code as an activation", "name"],
)
def test_code_that_is_sent_straight_to_keras_does_not_run(road: str, keras: Child, tmp_path: Path) -> None:
    sly = Road(tmp_path)
    code = described("Lambda", **sly.function)
    sent = {
        "lambda": code,
        "lambda in a wrapper": described("TimeDistributed", (None, 3, 2), layer=code),
        "model as an option": described("Dense", units=sly.hidden),
        "lambda as an activation": described("Dense", units=3, activation=sly.code),
        "code as an activation": described("Activation", activation=["__lambda__", sly.function["function"]]),
        "name": {**described("Dense", units=3), "name": sly.hidden},
    }[road]
    assert "error" in answer(keras, stack(sent))
    assert not (tmp_path / MARKER).exists()


DISARMED = """
import json, sys
from pathlib import Path
from bundler.tfjs.layers.making import disarm
import tf_keras
from tests.hostile.layers.roads import Road, MARKER
disarm()
tf_keras.config.enable_unsafe_deserialization() if hasattr(tf_keras, "config") else None
road, made = Road(Path(sys.argv[1])), []
model = road.document["modelTopology"]["model_config"]
popen = {"class_name": "Popen", "module": "subprocess", "registered_name": "Popen", "config": {"args": "true"}}
for make, given in [
    (tf_keras.models.model_from_json, json.dumps({**model, "config": {**road.model, "name": road.hidden}})),
    (tf_keras.models.model_from_config, road.stack),
    (tf_keras.layers.deserialize, road.code),
    (tf_keras.layers.deserialize, {**road.code, "module": "keras.layers", "registered_name": None}),
    (tf_keras.saving.deserialize_keras_object, {**road.code, "module": "keras.layers", "registered_name": None}),
    (tf_keras.saving.deserialize_keras_object, popen),
    (tf_keras.layers.Lambda.from_config, road.code["config"]),
]:
    try:
        made.append(make(given))
    except (PermissionError, ValueError, TypeError):
        pass
print(made, (Path(sys.argv[1]) / MARKER).exists())
"""


@NEEDS_KERAS
def test_keras_own_ways_to_make_objects_of_a_configuration_are_disarmed(tmp_path: Path) -> None:
    """`deserialize` gives a name that it does not know back as it is."""
    assert run(DISARMED, tmp_path) == "['Lambda', 'Lambda'] False"


@NEEDS_KERAS
@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([described("Dense", (None, 10**9), units=3)], "larger than all weights: the file has weights of 100 elements"),
        (
            [described("Dense", units=30), {**described("Dense", None, units=30), "name": "z"}],
            "larger than all weights",
        ),
    ],
    ids=["large input", "one too many"],
)
def test_what_costs_more_than_the_weights_allow_is_refused(layers: Any, words: str, keras: Child) -> None:
    assert words in answer(keras, stack(*layers))["error"]


@NEEDS_KERAS
def test_a_million_steps_are_a_loop_whatever_the_layer_says(keras: Child) -> None:
    made = answer(keras, stack(described("SimpleRNN", (None, 10**6, 2), units=1, unroll=True)))
    assert len(made["topology"]["node"]) < 100


# Ways out ----------------------------------------------------------------------------------------


def run(program: str, *arguments: object) -> str:
    """What a program prints."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


PYTHON = """
import ctypes, json, marshal, os, pathlib, pickle, shutil, socket, subprocess, sys, tempfile, types
from bundler.tfjs.layers.confinement import confine
folder = pathlib.Path(sys.argv[1])
kept, code = folder / "kept", marshal.dumps(compile("1", "", "eval"))
confine()
acts = {
    "write": lambda: open(folder / "new", "w"),
    "append": lambda: kept.open("ab"),
    "create": lambda: os.open(folder / "new", os.O_CREAT | os.O_WRONLY),
    "folder": lambda: os.mkdir(folder / "new"),
    "remove": kept.unlink,
    "rename": lambda: os.replace(kept, folder / "new"),
    "link": lambda: os.symlink(kept, folder / "new"),
    "truncate": lambda: os.truncate(kept, 0),
    "mode": lambda: os.chmod(kept, 0o777),
    "copy": lambda: shutil.copy(kept, folder / "new"),
    "temporary": lambda: tempfile.mkdtemp(dir=folder),
    "program": lambda: subprocess.run(["true"]),
    "shell": lambda: os.system("true"),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "socket": lambda: socket.create_connection(("127.0.0.1", 9)),
    "name": lambda: socket.gethostbyname("localhost"),
    "code": lambda: (lambda: 0).__code__.replace(co_name="x"),
    "marshal": lambda: marshal.loads(code),
    "compile": lambda: eval("1 + 1"),
    "pickle": lambda: pickle.loads(b"cos\\nsystem\\n."),
    "library": lambda: ctypes.CDLL(None),
}
done = []
for name, act in acts.items():
    try:
        act()
        done.append(name)
    except PermissionError:
        pass
print(kept.read_text(), sorted(path.name for path in folder.iterdir()), done)
"""

KERNEL = """
import ctypes, errno, os, pathlib, sys
from bundler.tfjs.layers.confinement import confine
folder = pathlib.Path(sys.argv[1])
system = ctypes.CDLL(None, use_errno=True)
openings = confine()
kept, new = bytes(folder / "kept"), bytes(folder / "new")
AT = -100
acts = {
    "create": lambda: system.open(new, os.O_CREAT | os.O_WRONLY, 0o600),
    "write": lambda: system.open(kept, os.O_WRONLY),
    "truncate": lambda: system.truncate(kept, 0),
    "folder": lambda: system.mkdir(new, 0o700),
    "remove": lambda: system.unlink(kept),
    "rename": lambda: system.rename(kept, new),
    "link": lambda: system.symlink(kept, new),
    "pipe": lambda: system.mkfifo(new, 0o600),
    "socket": lambda: system.socket(2, 1, 0),
    "datagram": lambda: system.socket(2, 2, 0),
    "unix": lambda: system.socket(1, 1, 0),
    "fork": lambda: system.fork(),
    "exec": lambda: system.execv(b"/bin/true", (ctypes.c_char_p * 2)(b"true", None)),
    "signal": lambda: system.kill(os.getppid(), 0),
    "trace": lambda: system.ptrace(16, os.getppid(), 0, 0),
}
done = [name for name, act in acts.items() if act() != -1 or ctypes.get_errno() not in (errno.EPERM, errno.EACCES)]
import threading
threading.Thread(target=lambda: None).start()  # threads are allowed
print(openings, kept and (folder / "kept").read_text(), sorted(path.name for path in folder.iterdir()), done)
"""


def test_python_refuses_to_change_start_connect_or_make_code(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as-it-was")
    assert run(PYTHON, tmp_path) == "as-it-was ['kept'] []"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's means are Linux'")
def test_the_kernel_refuses_code_that_goes_around_python(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as-it-was")
    assert run(KERNEL, tmp_path) == "[] as-it-was ['kept'] []"


@NEEDS_KERAS
def test_the_process_has_an_empty_folder_for_its_home_and_little_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setattr(process, "_START", "import os, sys; sys.exit(f'Error: {sorted(os.environ)} {os.listdir()}')")
    with pytest.raises(Exception, match="Error: ") as caught, process.start(tmp_path) as child:
        child.ask(b"")
    found = caught.value.fault.found  # type: ignore[attr-defined]
    assert "HOME" in found
    assert "SECRET_TOKEN" not in found
    assert found.endswith("[]")
