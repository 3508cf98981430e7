"""Tests of orchestrator/estimate."""
