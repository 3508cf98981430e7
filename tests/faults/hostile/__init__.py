"""An S3 that answers in every odd way there is, and that knows what was really done."""
