"""Reading public pages: bytes to lines, lines to people, people to "still there", "gone" or "unknown".

Reading is pure: what was fetched is passed in, and so are the day and the state of the last check. What asks
the web is `client`, with `guard`, `pace` and `robots`; `visits` and `discovery` use it.
"""
