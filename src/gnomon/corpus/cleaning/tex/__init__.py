"""Reading LaTeX remnants: words and their meaning, arguments, commands, scripts."""
