"""One object, one decision, one change: a module for each phase."""
