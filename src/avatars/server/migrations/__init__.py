"""The history of the database's tables; ``Database.upgrade`` runs it."""
