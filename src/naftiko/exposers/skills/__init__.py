"""The skill adapter: skills, their tools, and their files."""
