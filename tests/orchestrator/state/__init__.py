"""Tests of orchestrator/state."""
