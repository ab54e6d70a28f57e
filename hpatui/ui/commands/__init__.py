"""What the keys do, by subject. Nothing heavy is imported before a command needs it: the first frame comes at once."""
