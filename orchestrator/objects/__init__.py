"""S3's objects and buckets, as the launcher looks at them."""
