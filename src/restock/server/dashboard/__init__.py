"""Pages for people: play a problem by hand, watch a policy or a transcript, compare.

`routes.mount` puts it into the application of a server. Pages are made on the server and work without scripts;
htmx, which is served from here, replaces parts of them where it can.
"""
