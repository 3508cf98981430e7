"""A key file becomes lots."""
