"""What product pages load and show: scripts, snippets, and the pages without JavaScript."""
