"""Tests of orchestrator/restores."""
