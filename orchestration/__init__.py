"""What runs when, in what order, what stops what, and who is told: Dagster over the other rooms, no business logic."""
