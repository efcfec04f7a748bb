"""Calls (叫应): the desk through which each change of a call and of the roster goes."""
