"""The lot comes in, the results go out."""
