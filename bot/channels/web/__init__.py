"""The embedded chat: a page of our own that behaves like a group chat, for schools without one and for the demo."""
