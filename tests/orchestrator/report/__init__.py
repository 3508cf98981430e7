"""Tests of orchestrator/report."""
