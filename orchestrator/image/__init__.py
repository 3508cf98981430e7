"""The worker's image: built, tagged, pushed."""
