"""Assessments of avatarizations: asked for, described, enforced."""
