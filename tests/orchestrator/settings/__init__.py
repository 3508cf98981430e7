"""Tests of orchestrator/settings."""
