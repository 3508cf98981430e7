"""Tests of orchestrator/split."""
