"""Sees people at the water's edge on plain cameras: from a stream to a record of an entry. Knows no Django, no tables and no server.

What needs the optional extra (`pip install shouwang[vision]`) says so when it is used; importing this room needs NumPy only.
"""
