"""Tests of orchestrator/common."""
