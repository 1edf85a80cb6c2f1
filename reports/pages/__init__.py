"""Pages: frames and texts put together; one module a page."""
