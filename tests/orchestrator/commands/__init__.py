"""Tests of orchestrator/commands."""
