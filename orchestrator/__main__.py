"""`python -m orchestrator` is `s3reclass`, whose entry point is here: what it imports can be interrupted too."""

import sys


def main() -> None:
    """Run the command line and exit with its code, 130 for a Ctrl-C at any time."""
    try:
        from orchestrator import cli  # noqa: PLC0415 (within the block)
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
