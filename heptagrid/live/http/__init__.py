"""The page and the interface of a live grid over HTTP and WebSocket."""
