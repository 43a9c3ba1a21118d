"""Holdfast: supervise commands so that nothing is lost and nothing runs twice. This is what `import holdfast` gives."""

__version__ = "0.1.0"
