"""`make evidence`: what attacks find in avatars and in what others would publish, written to docs/evidence.md."""
