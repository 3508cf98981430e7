"""A whole job on this machine, with an AWS of its own."""
