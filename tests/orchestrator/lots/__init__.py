"""Tests of orchestrator/lots."""
