"""The log of a process: written by a thread of its own, and its last lines kept for whoever asks."""

from naftiko.log.recent import Line, Recent
from naftiko.log.writer import LogHandler, LogLevel, LogWriter

__all__ = ["Line", "LogHandler", "LogLevel", "LogWriter", "Recent"]
