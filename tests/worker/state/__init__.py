"""Tests of worker/state."""
