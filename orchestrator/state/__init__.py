"""A job's folder in the state: the only truth about a job."""
