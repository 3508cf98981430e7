"""Many keys in flight, within a rate."""
