"""Whether restores are ready, from looking at a few keys of each lot."""
