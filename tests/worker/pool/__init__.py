"""Tests of worker/pool."""
