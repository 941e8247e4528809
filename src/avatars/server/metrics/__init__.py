"""What is known of an avatarization's projection: points, variance, contributions."""
