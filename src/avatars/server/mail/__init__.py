"""Mail: queued in the database, sent by a thread, so that a mail server that is away loses nothing."""
