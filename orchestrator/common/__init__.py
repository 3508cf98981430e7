"""Clock, AWS sessions, atomic files and text for people: what every room uses."""
