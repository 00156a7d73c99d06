"""Themes, colours, views and what a user has chosen."""
