"""TensorFlow's error messages without what surrounds the sentence that explains the error."""

from __future__ import annotations

import re

__all__ = ["tidied"]

_NOISE = (
    r"(?m)^(Graph execution error:|Detected at node .*|Node: .*|\d+ root error\(s\) found\.)$",
    r'(?m)^ *File ".*", line .*$',  # where Python called, if it did
    r"\(0\) [A-Z_]+: ",  # the first of several root errors
    r" Op<name=.*>;(?= NodeDef)",  # the op's whole definition
    r" in binary running on .*",  # the name of this machine
    r" (Make sure the Op|Check that the directory|To inspect available|\(Check whether) .*",  # advice to developers
)


def tidied(message: str) -> str:
    """The sentence that says what is wrong, and the node if it follows on the next line: `… [[{{node y}}]]`."""
    for noise in _NOISE:
        message = re.sub(noise, "", message)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    nodes = [line for line in lines[1:2] if line.startswith("[[")]
    return " ".join([*lines[:1], *nodes])
