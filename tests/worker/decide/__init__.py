"""Tests of worker/decide."""
