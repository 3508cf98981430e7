"""Tests of worker/s3."""
