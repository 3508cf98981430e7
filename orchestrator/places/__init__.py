"""Where tasks run: see `base.py` for what every place promises."""
