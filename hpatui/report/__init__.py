"""Reports as one HTML file that works without a network: templates and charts, from plain data."""
