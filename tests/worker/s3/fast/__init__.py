"""Tests of worker/s3/fast."""
