"""Tests of orchestrator/stack."""
