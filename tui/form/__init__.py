"""What the settings form holds and shows, without Textual: drafts, changes, lines, completion."""
