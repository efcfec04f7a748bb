"""Channels that reach people: robots of group chats, e-mail, short messages and calls."""
