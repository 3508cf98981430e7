"""Tests of orchestrator/clients."""
