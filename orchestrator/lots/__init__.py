"""The lots on disk, read back."""
