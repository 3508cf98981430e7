"""Tests of orchestrator/planning."""
