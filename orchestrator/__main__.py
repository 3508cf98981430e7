"""`python -m orchestrator` is `s3reclass`."""

from orchestrator.cli import main

main()
