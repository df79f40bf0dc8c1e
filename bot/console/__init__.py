"""The secretary's pages: the same blocks in a browser. Not built yet; the floor is kept free for it."""
