"""Tests of orchestrator/demo."""
