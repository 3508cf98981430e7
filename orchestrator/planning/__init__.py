"""Pure decisions: no clock, no disk, no environment, no AWS."""
