"""One file per command: read options, call, print."""
