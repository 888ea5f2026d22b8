"""`python -m bundler`, and the script `bundler`."""

import gc
import signal

__all__ = ["main"]


def main() -> None:
    """The command line. Ends by SystemExit."""
    # While modules load nothing needs cleaning up: an interrupt ends the process at once, without a traceback.
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # a search for cycles among a million small objects takes longer than it saves
    from bundler.cli import run

    run()


if __name__ == "__main__":
    main()
