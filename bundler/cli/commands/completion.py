"""`bundler completion`."""

from __future__ import annotations

import click

__all__ = ["completion"]


@click.command(
    epilog="""\b
Examples:
  bundler completion bash >> ~/.bashrc
  bundler completion zsh >> ~/.zshrc
  bundler completion fish > ~/.config/fish/completions/bundler.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and files in SHELL."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    # The base class: that of bash starts bash to ask for its version.
    click.echo(ShellComplete.source(kind(click.Group(), {}, "bundler", "_BUNDLER_COMPLETE")))
