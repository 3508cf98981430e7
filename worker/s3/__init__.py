"""Requests to S3: by boto3, or by the fast client."""
