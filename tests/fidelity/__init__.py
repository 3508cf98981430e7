"""No object harmed: kinds of objects, each copied on both paths and compared with what it was."""
