"""What became of every key."""
