"""Who may use the platform: users, logins and their tokens."""
