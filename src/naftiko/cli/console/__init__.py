"""What `naftiko run` prints: for people on standard output, or one JSON object a line on standard error."""

from naftiko.cli.console.json import JsonConsole
from naftiko.cli.console.kept import KeptConsole
from naftiko.cli.console.protocol import Console, QuietConsole
from naftiko.cli.console.text import TextConsole

__all__ = ["Console", "JsonConsole", "KeptConsole", "QuietConsole", "TextConsole"]
