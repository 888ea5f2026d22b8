"""The commands: a module for each, with a function of its name. It is loaded if the command is called."""
