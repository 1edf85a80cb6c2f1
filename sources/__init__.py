"""Raw tables as a system declares them and as a database has them: migrating, late binding, sight, loading."""
