"""What `make bench` measures with: is its S3 a believable one, and are its tables right."""
