"""Tests of orchestrator/places."""
