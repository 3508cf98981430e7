"""What a job costs and how long it takes."""
