"""Colors and characters: what a stream gets depends on `--color`, on the environment, and on what it can show."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper

import pytest
from click.testing import CliRunner

from bundler.cli import main
from bundler.cli.screen import print_error

PLAIN = "error: nowhere.toml: there is no such file\n"
STYLED = "\x1b[31m\x1b[1merror\x1b[0m: nowhere.toml: there is no such file\n"


class Stream(TextIOWrapper):
    """A stream that says whether it is a terminal, in an encoding."""

    def __init__(self, is_terminal: bool, encoding: str = "utf-8") -> None:
        self.content = BytesIO()
        super().__init__(self.content, encoding=encoding, errors="backslashreplace")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize(
    ("environment", "on_a_terminal", "in_a_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_the_environment_says_who_gets_colors(
    environment: dict[str, str],
    on_a_terminal: bool,
    in_a_pipe: bool,
    is_terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", stream := Stream(is_terminal))
    print_error([[("error", "bold red"), (": nowhere.toml: there is no such file", "")]])
    styled = on_a_terminal if is_terminal else in_a_pipe
    assert stream.content.getvalue().decode() == (STYLED if styled else PLAIN)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["build", "/nowhere.toml"], {}, PLAIN),
        (["build", "/nowhere.toml", "--color", "always"], {}, STYLED),
        (["--color=always", "build", "/nowhere.toml"], {}, STYLED),
        (["--color=always", "build", "/nowhere.toml", "--color=never"], {}, PLAIN),
        (["build", "/nowhere.toml", "--color", "always"], {"NO_COLOR": "1"}, STYLED),
        (["build", "/nowhere.toml", "--color", "never"], {"FORCE_COLOR": "1"}, PLAIN),
        (["build", "/nowhere.toml", "--color=never", "--color", "always"], {}, STYLED),
        (["build", "/nowhere.toml", "--color", "auto"], {"FORCE_COLOR": "1"}, STYLED),
    ],
)
def test_the_flag_wins_over_the_environment(arguments: list[str], environment: dict[str, str], said: str) -> None:
    done = CliRunner(env=environment).invoke(main, arguments, color=True)
    assert done.stderr == said.replace("nowhere", "/nowhere")


@pytest.mark.parametrize("color", [["--color=always"], ["--color=never", "--color", "always"]])
@pytest.mark.parametrize(
    "mistake",
    [
        ["--wrong"],
        ["biuld"],
        ["build"],
        ["build", "x.toml", "--wrong"],
        ["build", "x.toml", "--wrong", "--jobs"],
        ["build", "x.toml", "--jobs=many"],
        ["build", "x.toml", "--offline", "--refresh"],
        ["cache", "clean", "--wrong"],
    ],
    ids=" ".join,
)
def test_a_mistake_on_the_command_line_has_the_colors_that_it_asks_for(mistake: list[str], color: list[str]) -> None:
    done = CliRunner().invoke(main, [*mistake[:1], *color, *mistake[1:]], color=True)
    assert (done.exit_code, done.stderr.startswith(STYLED.partition(":")[0])) == (2, True)
    assert "\x1b" not in CliRunner().invoke(main, [*color, *mistake, "--color=never"], color=True).stderr


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "a → b, … and 猫"),
        ("ascii", r"a -> b, ... and \u732b"),
        ("latin-1", r"a -> b, ... and \u732b"),
    ],
)
def test_a_terminal_gets_the_characters_that_it_has(encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Stream(True, encoding))
    monkeypatch.setenv("NO_COLOR", "1")
    print_error([[("a → b, … and 猫", "bold")]])
    assert stream.content.getvalue().decode(encoding) == f"{shown}\n"
