"""
The worker: works through one lot of one job, alone in its container.

It needs the standard library and boto3, and never imports the orchestrator.
"""
