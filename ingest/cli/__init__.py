"""The `yujing` command: one module a group of commands."""
