"""The worker's command line: all of its configuration. Pure, but `--help` and wrong usage exit."""

import argparse
from collections.abc import Sequence
from dataclasses import MISSING

from worker.contract import Options, Phase, options_of

_EXIT_CODES = """\
exit codes:
  0   every key has a good outcome
  1   could not proceed (lot unreadable, state not writable, no credentials)
  2   wrong usage
  3   finished, some keys failed
  4   finished, some keys pending, none failed
  75  interrupted by SIGTERM; all finished work is recorded

A lot that has results from earlier attempts is continued: only keys without a succeeded result are
worked on. Credentials, region and endpoint are boto3's own business (AWS_* variables, roles, profiles).
"""


_PHASES = {
    Phase.RESTORE: "Ask S3 to restore every object of the lot that is archived.",
    Phase.COPY: "Copy every object of the lot onto itself, into another storage class.",
}


def parse_command_line(arguments: Sequence[str]) -> Options:
    """The options that the arguments stand for. Exits as argparse does: 2 on wrong usage, 0 after `--help`."""
    parser = argparse.ArgumentParser(
        prog="python -m worker",
        description="Work through one lot of S3 keys: restore each from its archive, or copy each into another class.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    phases = parser.add_subparsers(dest="phase", required=True, metavar="restore|copy")
    for phase, text in _PHASES.items():
        own = phases.add_parser(
            phase.value,
            help=text,
            description=text,
            epilog=_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        own.set_defaults(phase=phase)
        lot = own.add_argument_group("what to work on")
        for flag, one in options_of(phase, Options):
            # argparse would check a text that stands for "not given" as if it had been typed.
            default = argparse.SUPPRESS if one.default in ("", MISSING) else one.default
            (lot if one.metadata["lot"] else own).add_argument(
                flag, dest=one.name, default=default, **one.metadata["argparse"]
            )
    return Options(**vars(parser.parse_args(arguments)))
