"""Every setting: its flag, variable, line in s3reclass.toml, default and check."""
