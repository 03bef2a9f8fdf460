"""The database: tables, migrations and the store over SQLite or PostgreSQL; the only home of SQLAlchemy."""
