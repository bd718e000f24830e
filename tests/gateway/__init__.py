"""The gateway on SQLite and on PostgreSQL; what is compared is the demo hospital's own ledgers."""
