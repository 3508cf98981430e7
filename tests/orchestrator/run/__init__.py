"""Tests of orchestrator/run."""
