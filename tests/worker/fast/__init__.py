"""Tests of the worker's fast lane."""
