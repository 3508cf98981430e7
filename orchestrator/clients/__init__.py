"""The only modules of the orchestrator that import boto3 or docker."""
