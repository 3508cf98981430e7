"""Tests of orchestrator/objects."""
