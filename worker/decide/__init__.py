"""What S3 said -> what to do. Pure."""
