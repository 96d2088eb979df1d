"""The second door: a proxy for HTTP and HTTPS that lets through what the policy names, and tells of it."""
