"""What Dagster shows: assets, checks, jobs, schedules and sensors, each a thin shell around another room."""
