"""`python -m bundler`: the command line without its script."""

from bundler.cli import run

if __name__ == "__main__":
    run()
