"""Tests of worker/contract."""
