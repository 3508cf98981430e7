"""Tests of orchestrator/image."""
