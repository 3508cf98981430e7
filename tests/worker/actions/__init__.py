"""Tests of worker/actions."""
