"""What outlives a process: the journal, its snapshots, the database that mirrors it, credentials and backups."""
