"""What networks, a busy S3 and kills do to a job."""
