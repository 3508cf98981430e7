"""A run: plan, start tasks, watch them, sum up."""
