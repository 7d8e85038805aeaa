"""A study as a report: HTML, Markdown, JSON, and its figures."""
